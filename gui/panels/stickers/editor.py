"""StickerEditor: place, size, opacity and content of the selected sticker."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor, QValidator
from PySide6.QtWidgets import QColorDialog, QComboBox, QFileDialog, QGridLayout, QLabel, QSpinBox, QWidget

from engine.text.formatting import with_minus
from gui.panels.stickers.sticker_list import content_kind
from gui.theme import GRID

if TYPE_CHECKING:
    from engine.stickers import Sticker

_NUMBERS = (
    ("x", "X", "Left edge, in pixels of the image"),
    ("y", "Y", "Top edge, in pixels of the image"),
    ("width", "Width", "In pixels of the image"),
    ("height", "Height", "In pixels of the image"),
)
_IMAGES = "Images (*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp *.ppm)"


class StickerEditor(QWidget):
    """A view: it changes no sticker, but emits the changes that the user makes."""

    edited = Signal(str, float)
    """The user has set a number: the name of the sticker's field, and its value."""
    contentChosen = Signal(int, object)
    """The user has chosen a content: the sticker's id, and the content."""
    pictureChosen = Signal(int, object)
    """The user has chosen a picture: the sticker's id, and the picture's path."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sticker: Sticker | None = None
        self._new_colour = (1.0, 1.0, 1.0)
        self.numbers = {name: _PixelBox() for name, _title, _tip in _NUMBERS}
        self.opacity, self.content = _NumberBox(" %"), QComboBox()
        self._build()

    def _build(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(4)
        for place, (name, title, tip) in enumerate(_NUMBERS):
            box = self.numbers[name]
            box.setRange(1 if name in ("width", "height") else -9999, 9999)
            box.setMinimumWidth(9 * GRID)  # its size hint is for the largest number, which no sticker has
            described(box, title, tip)
            box.valueChanged.connect(self._setter(name))
            _add(grid, place // 2, 2 * (place % 2), title, box)
        self.opacity.setRange(0, 100)
        self.opacity.setSingleStep(5)
        described(self.opacity, "Opacity", "0 % shows nothing, 100 % covers")
        self.opacity.valueChanged.connect(self._on_opacity)
        for title, kind in (("Optimised", "optimised"), ("Colour…", "colour"), ("Image file…", "image")):
            self.content.addItem(title, kind)
        described(self.content, "Content", "What the sticker shows: what an attack paints, one colour, or a picture stretched over it")
        self.content.activated.connect(self._on_content)
        _add(grid, 2, 0, "Opacity", self.opacity)
        _add(grid, 2, 2, "Content", self.content)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)

    def show_sticker(self, sticker: Sticker | None, new_colour: tuple[float, float, float]) -> None:
        """Show a sticker; None disables the editor. The colour dialog begins with ``new_colour`` if the sticker has no colour."""
        self._sticker, self._new_colour = sticker, new_colour
        self.setEnabled(sticker is not None)
        for box in (*self.numbers.values(), self.opacity):
            box.set_blank(sticker is None)
        if sticker is None:
            self.content.setCurrentIndex(-1)
            return
        for name, box in self.numbers.items():
            _put(box, getattr(sticker, name))
        _put(self.opacity, round(100 * sticker.opacity))
        kind = content_kind(sticker.content)
        if self.content.currentData() != kind:
            self.content.setCurrentIndex(self.content.findData(kind))

    # ------------------------------------------------------------------ from the user

    def _setter(self, name: str) -> Callable[[int], None]:
        return lambda value: self.edited.emit(name, value)

    @Slot(int)
    def _on_opacity(self, value: int) -> None:
        self.edited.emit("opacity", value / 100)

    @Slot()
    def _on_content(self) -> None:
        sticker, kind = self._sticker, self.content.currentData()
        if sticker is None:
            return
        if kind == "optimised":
            if content_kind(sticker.content) != "optimised":
                from engine.stickers import Optimised

                self.contentChosen.emit(sticker.id, Optimised())
        elif kind == "colour":
            self._ask_colour(sticker)
        else:
            self._ask_picture(sticker)
        self.show_sticker(self._sticker, self._new_colour)  # after a cancelled dialog the former content is shown

    def _ask_colour(self, sticker: Sticker) -> None:
        from engine.stickers import Colour

        start = sticker.content.rgb if isinstance(sticker.content, Colour) else self._new_colour
        chosen = QColorDialog.getColor(QColor.fromRgbF(*start), self, f"Colour of {sticker.title}")
        if chosen.isValid():
            self.contentChosen.emit(sticker.id, Colour((chosen.redF(), chosen.greenF(), chosen.blueF())))

    def _ask_picture(self, sticker: Sticker) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, f"Image for {sticker.title}", "", f"{_IMAGES};;All files (*)")
        if path:
            self.pictureChosen.emit(sticker.id, Path(path))


class _NumberBox(QSpinBox):
    """A whole number with its unit and a minus sign as on the axes, or nothing while there is nothing to set."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit, self._blank = unit, False
        self.setSuffix(unit)

    def set_blank(self, blank: bool) -> None:
        """Show nothing, or the number."""
        if blank != self._blank:
            self._blank = blank
            self.setSuffix("" if blank else self._unit)
            self.lineEdit().setText("" if blank else f"{self.textFromValue(self.value())}{self._unit}")

    def textFromValue(self, value: int) -> str:
        return "" if self._blank else with_minus(str(value))

    def valueFromText(self, text: str) -> int:
        typed = self._typed(text)
        return int(typed) if re.fullmatch(r"-?\d+", typed) else self.value()

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Accept whole numbers with either minus sign; what is not one yet may become one."""
        typed, states = self._typed(text), QValidator.State
        if not re.fullmatch(r"-?\d*", typed):
            return states.Invalid, text, place
        within = re.fullmatch(r"-?\d+", typed) and self.minimum() <= int(typed) <= self.maximum()
        return states.Acceptable if within else states.Intermediate, text, place

    def _typed(self, text: str) -> str:
        return text.removesuffix(self._unit).strip().replace("−", "-")


class _PixelBox(_NumberBox):
    """A number of image pixels."""

    def __init__(self) -> None:
        super().__init__(" px")


def described(widget: QWidget, name: str, tip: str) -> None:
    """Set a control's accessible name and tool tip."""
    widget.setAccessibleName(name)
    widget.setToolTip(f"{tip}.")
    if isinstance(widget, QSpinBox):
        widget.setKeyboardTracking(False)
    if isinstance(widget, QComboBox):
        widget.setMinimumContentsLength(6)


def _add(grid: QGridLayout, row: int, column: int, title: str, widget: QWidget) -> None:
    label = QLabel(title)
    label.setBuddy(widget)
    grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    grid.addWidget(widget, row, column + 1)


def _put(box: QSpinBox, value: int) -> None:
    if box.value() != value:
        with QSignalBlocker(box):
            box.setValue(value)
