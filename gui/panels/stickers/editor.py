"""StickerEditor: place, size, opacity and content of the selected sticker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QComboBox, QFileDialog, QGridLayout, QLabel, QSpinBox, QWidget

from gui.panels.stickers.sticker_list import kind_of
from gui.session.session import Session
from gui.theme import GRID

if TYPE_CHECKING:
    from engine.stickers import Content, Pixels, Sticker

_NUMBERS = (
    ("x", "X", "Left edge, in pixels of the image"),
    ("y", "Y", "Top edge, in pixels of the image"),
    ("width", "Width", "In pixels of the image"),
    ("height", "Height", "In pixels of the image"),
)
_IMAGES = "Images (*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp *.ppm)"


class StickerEditor(QWidget):
    """Every edit is one step that can be undone."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.numbers = {name: QSpinBox() for name, _title, _tip in _NUMBERS}
        self.opacity, self.content = QSpinBox(), QComboBox()
        self._build()

    def _build(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(4)
        for place, (name, title, tip) in enumerate(_NUMBERS):
            box = self.numbers[name]
            box.setRange(1 if name in ("width", "height") else -9999, 9999)
            box.setSuffix(" px")
            box.setMinimumWidth(9 * GRID)  # its hint is that of the farthest place, where no sticker is
            described(box, title, tip)
            box.valueChanged.connect(self._setter(name))
            _add(grid, place // 2, 2 * (place % 2), title, box)
        self.opacity.setRange(0, 100)
        self.opacity.setSuffix(" %")
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

    @Slot()
    def refresh(self) -> None:
        """Follow the session."""
        here = self.sticker
        self.setEnabled(here is not None)
        if here is None:
            return
        for name, box in self.numbers.items():
            _put(box, getattr(here, name))
        _put(self.opacity, round(100 * here.opacity))
        kind = kind_of(here.content)
        if self.content.currentData() != kind:
            self.content.setCurrentIndex(self.content.findData(kind))

    @property
    def sticker(self) -> Sticker | None:
        """The selected one."""
        return next((sticker for sticker in self.session.stickers if sticker.id == self.session.selected), None)

    # ------------------------------------------------------------------ place, size, opacity

    def _change(self, text: str, **changes: Any) -> None:
        """One undoable step on the selected sticker."""
        here = self.sticker
        if here is None:
            return
        changed = replace(here, **changes)
        if self.session.clean is not None:
            from engine.stickers import kept_on_image

            changed = kept_on_image(changed, *self.session.clean.shape[1:])
        key = ("sticker", here.id, *changes)  # turning one number is one step
        self.session.commit_stickers(tuple(changed if s is here else s for s in self.session.stickers), text, key=key)
        self.refresh()  # also where nothing changed: the box may show a place off the image

    def _setter(self, name: str) -> Callable[[int], None]:
        text = {"x": "Move sticker", "y": "Move sticker"}.get(name, "Resize sticker")
        return lambda value: self._change(text, **{name: value})

    @Slot(int)
    def _on_opacity(self, value: int) -> None:
        self._change("Change opacity", opacity=value / 100)

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
            "stickers.image",
            lambda: read_picture(path),
            lambda picture: self.set_content(sticker, picture),
            what=f"Reading {path.name}",
            busy=f"Reading {path.name}…",
            keep=True,
        )

    def set_content(self, sticker: int, content: Content) -> None:
        """Give the sticker of that id its content, as one step."""
        self.session.commit_stickers(
            tuple(replace(s, content=content) if s.id == sticker else s for s in self.session.stickers), "Change sticker content"
        )


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


def described(widget: QWidget, name: str, tip: str) -> None:
    """Give a control its accessible name and its tool tip."""
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
