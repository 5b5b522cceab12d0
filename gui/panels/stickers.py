"""Stickers: the list with its order, and place, size, opacity and content of the one that is selected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.plots.sticker_list import StickerList, chip_icon, kind_of
from gui.session import Session
from gui.theme import GRID, icon
from gui.widgets import EmptyState

if TYPE_CHECKING:
    from engine.stickers import Content, Pixels, Sticker

_NUMBERS = (
    ("x", "X", "Left edge, in pixels of the image"),
    ("y", "Y", "Top edge, in pixels of the image"),
    ("width", "Width", "In pixels of the image"),
    ("height", "Height", "In pixels of the image"),
)
_IMAGES = "Images (*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp *.ppm)"


class StickersPanel(QWidget):
    """Every edit is one step that can be undone."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.list = StickerList()
        self.numbers = {name: QSpinBox() for name, _title, _tip in _NUMBERS}
        self.opacity, self.content, self.colour = QSpinBox(), QComboBox(), QPushButton()
        self.new_content = QComboBox()
        self.buttons: dict[str, QToolButton] = {}
        self._build()
        session.stickersChanged.connect(self.refresh)
        session.selectionChanged.connect(self.refresh)
        session.imageChanged.connect(self.refresh)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        self.list.chosen.connect(self.session.select)
        self.list.deleteAsked.connect(self.delete)
        empty = EmptyState("Press R and draw a rectangle on the image.", "mdi6.sticker-plus-outline")
        self.pages = QStackedWidget()
        self.pages.addWidget(empty)
        self.pages.addWidget(self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self.pages, 1)
        layout.addLayout(self._tools())
        layout.addWidget(self._editor())
        layout.addLayout(self._for_new())

    def _tools(self) -> QHBoxLayout:
        tools: tuple[tuple[str, str, str, Callable[[], None]], ...] = (
            ("up", "mdi6.arrow-up", "Bring forward: one place up", lambda: self.reorder(1)),
            ("down", "mdi6.arrow-down", "Send backward: one place down", lambda: self.reorder(-1)),
            ("duplicate", "mdi6.content-duplicate", "Duplicate the selected sticker", self.duplicate),
            ("delete", "mdi6.delete-outline", "Delete the selected sticker", self.delete),
        )
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, picture, tip, action in tools:
            button = QToolButton()
            button.setIcon(icon(picture))
            button.setAutoRaise(True)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(action)
            self.buttons[name] = button
            row.addWidget(button)
            if name == "down":
                row.addStretch(1)
        return row

    def _editor(self) -> QWidget:
        self.editor = QWidget()
        grid = QGridLayout(self.editor)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(4)
        for place, (name, title, tip) in enumerate(_NUMBERS):
            box = self.numbers[name]
            box.setRange(1 if name in ("width", "height") else -9999, 9999)
            box.setSuffix(" px")
            _describe(box, title, tip)
            box.valueChanged.connect(self._setter(name))
            _add(grid, place // 2, 2 * (place % 2), title, box)
        self.opacity.setRange(0, 100)
        self.opacity.setSuffix(" %")
        self.opacity.setSingleStep(5)
        _describe(self.opacity, "Opacity", "0 % shows nothing, 100 % covers")
        self.opacity.valueChanged.connect(self._on_opacity)
        for title, kind in (("Optimised", "optimised"), ("Colour…", "colour"), ("Image file…", "image")):
            self.content.addItem(title, kind)
        _describe(self.content, "Content", "What the sticker shows: what an attack paints, one colour, or a picture stretched over it")
        self.content.activated.connect(self._on_content)
        _add(grid, 2, 0, "Opacity", self.opacity)
        _add(grid, 2, 2, "Content", self.content)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return self.editor

    def _for_new(self) -> QHBoxLayout:
        self.new_content.addItem("Optimised", "optimised")
        self.new_content.addItem("Colour", "colour")
        self.new_content.setCurrentIndex(self.new_content.findData(self.session.new_content))
        _describe(self.new_content, "Content of new stickers", "What a sticker is drawn with: content that Run paints, or one colour")
        self.new_content.activated.connect(self._on_new_content)
        _describe(self.colour, "Colour of new stickers", "Choose the colour that new stickers are drawn with")
        self.colour.clicked.connect(self._on_new_colour)
        row = QHBoxLayout()
        row.addWidget(QLabel("New stickers"))
        row.addWidget(self.new_content, 1)
        row.addWidget(self.colour)
        return row

    # ------------------------------------------------------------------ showing

    @Slot()
    def refresh(self) -> None:
        """Follow the session, where anybody can see it."""
        if not self.isVisible():
            return
        stickers, here = self.session.stickers, self.sticker
        self.pages.setCurrentIndex(1 if stickers else 0)
        self.list.set_stickers(stickers, self.session.selected)
        self.editor.setEnabled(here is not None)
        for name in ("duplicate", "delete"):
            self.buttons[name].setEnabled(here is not None)
        self.buttons["up"].setEnabled(here is not None and here is not stickers[-1])
        self.buttons["down"].setEnabled(here is not None and here is not stickers[0])
        self._show_colour()
        if here is None:
            return
        for name, box in self.numbers.items():
            _put(box, getattr(here, name))
        _put(self.opacity, round(100 * here.opacity))
        kind = kind_of(here.content)
        if self.content.currentData() != kind:
            self.content.setCurrentIndex(self.content.findData(kind))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @property
    def sticker(self) -> Sticker | None:
        """The selected one."""
        return next((sticker for sticker in self.session.stickers if sticker.id == self.session.selected), None)

    def _show_colour(self) -> None:
        self.colour.setVisible(self.session.new_content == "colour")
        self.colour.setIcon(chip_icon(self.session.new_colour))

    # ------------------------------------------------------------------ edits

    def _change(self, text: str, **changes: Any) -> None:
        """One undoable step on the selected sticker."""
        here = self.sticker
        if here is None:
            return
        changed = replace(here, **changes)
        if self.session.clean is not None:
            from engine.stickers import kept_on_image

            changed = kept_on_image(changed, *self.session.clean.shape[1:])
        self.session.commit_stickers(tuple(changed if s is here else s for s in self.session.stickers), text)
        self.refresh()  # also where nothing changed: the box may show a place off the image

    def _setter(self, name: str) -> Callable[[int], None]:
        text = {"x": "Move sticker", "y": "Move sticker"}.get(name, "Resize sticker")
        return lambda value: self._change(text, **{name: value})

    @Slot(int)
    def _on_opacity(self, value: int) -> None:
        self._change("Change opacity", opacity=value / 100)

    @Slot()
    def delete(self) -> None:
        """Remove the selected sticker."""
        here = self.sticker
        if here is not None:
            self.session.commit_stickers(tuple(s for s in self.session.stickers if s is not here), f"Delete {here.title}")

    @Slot()
    def duplicate(self) -> None:
        """A copy on top, one step to the lower right, selected."""
        here = self.sticker
        if here is None:
            return
        from engine.stickers import kept_on_image, next_id

        copy = replace(here, id=next_id(self.session.stickers), x=here.x + 2, y=here.y + 2, name="")
        if self.session.clean is not None:
            copy = kept_on_image(copy, *self.session.clean.shape[1:])
        self.session.commit_stickers((*self.session.stickers, copy), f"Duplicate {here.title}")
        self.session.select(copy.id)

    def reorder(self, by: int) -> None:
        """Move the selected sticker towards the top or down."""
        here = self.sticker
        if here is not None:
            from engine.stickers import reordered

            self.session.commit_stickers(reordered(self.session.stickers, here.id, by), "Bring forward" if by > 0 else "Send backward")

    # ------------------------------------------------------------------ content

    @Slot()
    def _on_content(self) -> None:
        here, kind = self.sticker, self.content.currentData()
        if here is None:
            return
        if kind == "optimised":
            if kind_of(here.content) != "optimised":
                from engine.stickers import Optimised

                self.set_content(here.id, Optimised())
        elif kind == "colour":
            self._ask_colour(here)
        else:
            self._ask_image(here)
        self.refresh()

    def _ask_colour(self, sticker: Sticker) -> None:
        from engine.stickers import Colour

        start = sticker.content.rgb if isinstance(sticker.content, Colour) else self.session.new_colour
        chosen = QColorDialog.getColor(QColor.fromRgbF(*start), self, f"Colour of {sticker.title}")
        if chosen.isValid():
            self.set_content(sticker.id, Colour((chosen.redF(), chosen.greenF(), chosen.blueF())))

    def _ask_image(self, sticker: Sticker) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, f"Image for {sticker.title}", "", f"{_IMAGES};;All files (*)")
        if path:
            self.load_image(sticker.id, Path(path))

    def load_image(self, sticker: int, path: Path) -> None:
        """Read a picture in the engine thread and put it on the sticker of that id."""
        self.session.ask(
            "stickers.image", lambda: read_picture(path), lambda picture: self.set_content(sticker, picture), busy=f"Reading {path.name}"
        )

    def set_content(self, sticker: int, content: Content) -> None:
        """Give the sticker of that id its content, as one step."""
        self.session.commit_stickers(
            tuple(replace(s, content=content) if s.id == sticker else s for s in self.session.stickers), "Change sticker content"
        )

    @Slot()
    def _on_new_content(self) -> None:
        self.session.new_content = self.new_content.currentData()
        self._show_colour()

    @Slot()
    def _on_new_colour(self) -> None:
        chosen = QColorDialog.getColor(QColor.fromRgbF(*self.session.new_colour), self, "Colour of new stickers")
        if chosen.isValid():
            self.session.new_colour = (chosen.redF(), chosen.greenF(), chosen.blueF())
            self._show_colour()


def read_picture(path: Path, side: int = 512) -> Pixels:
    """A picture for a sticker, at most ``side`` pixels wide and high. Called in the engine thread."""
    import torch
    import torch.nn.functional as F

    from engine.images import open_image
    from engine.stickers import Pixels

    photograph = open_image(path)
    values = torch.from_numpy(photograph.pixels.copy()).float() / 255
    image = values[None] if photograph.grey else values.permute(2, 0, 1)
    factor = side / max(image.shape[1:])
    if factor < 1:
        size = [max(1, round(n * factor)) for n in image.shape[1:]]
        image = F.interpolate(image[None], size, mode="bilinear", align_corners=False, antialias=True)[0].clamp(0, 1)
    return Pixels(image.contiguous(), photograph.name)


def _describe(widget: QWidget, name: str, tip: str) -> None:
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
