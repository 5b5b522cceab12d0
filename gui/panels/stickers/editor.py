"""StickerEditor: place, size, angle, opacity and content of the selected sticker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QComboBox, QFileDialog, QGridLayout, QLabel, QWidget

from gui.panels.stickers.number_box import NumberBox
from gui.panels.stickers.sticker_list import content_kind
from gui.theme import GRID

if TYPE_CHECKING:
    from engine.stickers import Sticker

_NUMBERS = (
    ("x", "X", "Left edge, in pixels of the image"),
    ("y", "Y", "Top edge, in pixels of the image"),
    ("width", "Width", "In pixels of the image"),
    ("height", "Height", "In pixels of the image"),
    ("angle", "Angle", "Rotation about the middle in degrees, clockwise"),
)
_CONTENTS = (
    ("Optimised", "optimised"),
    ("Colour…", "colour"),
    ("Black", "black"),
    ("White", "white"),
    ("Shadow", "shadow"),
    ("Image file…", "image"),
)
_SEVERAL = "Several stickers are selected. Select one to set this number"
_LOCKED = "The sticker is locked. Unlock it in the list to set this number"
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
        self.numbers = {name: _box(name) for name, _title, _tip in _NUMBERS}
        self.opacity, self.content = NumberBox(" %", 0, 100), QComboBox()
        self._build()

    def _build(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(4)
        for place, (name, title, tip) in enumerate(_NUMBERS):
            box = self.numbers[name]
            box.setMinimumWidth(9 * GRID)  # its size hint is for the largest number, which no sticker has
            described(box, title, tip)
            box.valueChanged.connect(self._setter(name))
            _add(grid, place // 2, 2 * (place % 2), title, box)
        self.opacity.setSingleStep(5)
        described(self.opacity, "Opacity", "0 % shows nothing, 100 % covers")
        self.opacity.valueChanged.connect(self._on_opacity)
        for title, kind in _CONTENTS:
            self.content.addItem(title, kind)
        described(
            self.content,
            "Content",
            "What an attack paints, one colour, a shadow on what is below, or a picture stretched over it",
        )
        self.content.activated.connect(self._on_content)
        _add(grid, 2, 2, "Opacity", self.opacity)
        _add(grid, 3, 0, "Content", self.content, across=3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)

    def show_sticker(self, sticker: Sticker | None, new_colour: tuple[float, float, float], several: bool = False) -> None:
        """Show a sticker; None disables the editor, and of ``several`` that are selected only the opacity and the content can be set.

        The colour dialog begins with ``new_colour`` if the sticker has no colour.
        """
        self._sticker, self._new_colour = sticker, new_colour
        self.setEnabled(sticker is not None)
        hindrance = _SEVERAL if several else _LOCKED if sticker is not None and sticker.locked else ""
        for name, _title, tip in _NUMBERS:
            self.numbers[name].setEnabled(not hindrance)
            self.numbers[name].setToolTip(f"{hindrance or tip}.")
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

    def _setter(self, name: str) -> Callable[[float], None]:
        return lambda value: self.edited.emit(name, value)

    @Slot(float)
    def _on_opacity(self, value: float) -> None:
        self.edited.emit("opacity", value / 100)

    @Slot()
    def _on_content(self) -> None:
        sticker, kind = self._sticker, self.content.currentData()
        if sticker is None:
            return
        if kind in ("optimised", "shadow", "black", "white"):
            from engine.stickers import Colour, Optimised, Shadow

            new = {"optimised": Optimised, "shadow": Shadow}.get(kind)
            if new is None:
                self.contentChosen.emit(sticker.id, Colour((0.0, 0.0, 0.0) if kind == "black" else (1.0, 1.0, 1.0)))
            elif content_kind(sticker.content) != kind:
                self.contentChosen.emit(sticker.id, new())
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


def _box(name: str) -> NumberBox:
    """Return the box for a number of a sticker."""
    if name == "angle":
        box = NumberBox("°", -360, 360)
        box.setSingleStep(15)
        return box
    return NumberBox(" px", 1 if name in ("width", "height") else -9999, 9999)


def described(widget: QWidget, name: str, tip: str) -> None:
    """Set a control's accessible name and tool tip."""
    widget.setAccessibleName(name)
    widget.setToolTip(f"{tip}.")
    if isinstance(widget, NumberBox):
        widget.setKeyboardTracking(False)
    if isinstance(widget, QComboBox):
        widget.setMinimumContentsLength(6)


def _add(grid: QGridLayout, row: int, column: int, title: str, widget: QWidget, across: int = 1) -> None:
    label = QLabel(title)
    label.setBuddy(widget)
    grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    grid.addWidget(widget, row, column + 1, 1, across)


def _put(box: NumberBox, value: float) -> None:
    shown = round(value, 1)  # as the list writes it; the box would round a half up
    if box.value() != shown:
        with QSignalBlocker(box):
            box.setValue(shown)
