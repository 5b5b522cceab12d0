"""Pane: a place of the canvas for an image, with its headings, its overlays, and a line over its upper edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.canvas.heading import Heading
from gui.canvas.image_view import ImageView
from gui.canvas.pictures import Picture
from gui.canvas.placement import Placement, Viewpoint, to_whole
from gui.widgets.elided import wrapped

if TYPE_CHECKING:
    from engine.stickers import Sticker
    from gui.canvas.tools import Sketch

_LINE_PAD, _LINES = 8, 2
"""Pixels at the left and right of the line over an image, and the lines that it is broken into at the most."""


def surround(palette: QPalette) -> QColor:
    """Return the neutral grey around an image, for a light or a dark palette."""
    return QColor(58, 58, 58) if theme.is_dark(palette) else QColor(190, 190, 190)


class Pane(QWidget):
    """An image with its headings, its overlays and a hint while it is empty.

    Places are given in the canvas's image pixels, those of its first picture. A picture of another size is stretched to them.
    """

    size_ = (0, 0)
    """Height and width of the image in the canvas's image pixels."""
    _veiled = False
    _text = ""

    def __init__(self, pictures: tuple[Picture, ...], hint: str = "") -> None:
        super().__init__()
        self.pixels: np.ndarray | None = None
        """The image that is shown, ``(H, W, 3)`` uint8, or with a fourth channel."""
        self.placement = Placement(0, 0, 1.0)
        self.headings = tuple(Heading(picture) for picture in pictures)
        self.view = ImageView()
        self.hint = QLabel(hint, self.view)
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line = QLabel("", self.view)
        self._line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line.setTextFormat(Qt.TextFormat.PlainText)
        self._line.setStyleSheet("color: white; background: rgba(0, 0, 0, 190); padding: 0;")
        self._line.hide()
        for label in (self.hint, self._line):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.view.resized.connect(self._place_labels)
        row = QHBoxLayout()
        row.setSpacing(theme.GRID)
        for heading in self.headings:
            row.addWidget(heading, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._follow_palette()
        self.describe()

    @property
    def heading(self) -> Heading:
        """The first heading."""
        return self.headings[0]

    @property
    def viewport(self) -> QWidget:
        """The widget that gets the mouse events."""
        return self.view.viewport_widget()

    # ------------------------------------------------------------------ contents

    def set_image(self, pixels: np.ndarray | None, size: tuple[int, int] | None = None) -> None:
        """Show an image ``(H, W, 3 or 4)`` uint8, by default at its own size; None shows the hint."""
        self.pixels = None if pixels is None else np.ascontiguousarray(pixels)
        self.hint.setVisible(pixels is None)
        own = (0, 0) if self.pixels is None else (self.pixels.shape[0], self.pixels.shape[1])
        self.size_ = own if size is None or pixels is None else size
        self.view.show_pixels(self.pixels, self.size_)
        self.view.grid.set_size(*(reversed(own) if own == self.size_ else (0, 0)))
        self._veil()

    def describe(self) -> None:
        """Name the view after its pictures, for those who do not see it."""
        names = " and ".join(
            ": ".join(filter(None, (heading.name, ", ".join(filter(None, (heading.caption.text, heading.size_label.text()))))))
            for heading in self.headings
        )
        if names != self.view.accessibleName():
            self.view.setAccessibleName(names)

    @property
    def filled(self) -> bool:
        """Whether there is an image for stickers to lie on."""
        return self.pixels is not None

    def set_line(self, text: str) -> None:
        """Show a line over the image's upper edge; an empty text removes it."""
        self._text = text
        self._line.setToolTip(text)
        self._line.setVisible(bool(text))
        self._place_labels()

    @property
    def line(self) -> str:
        """The line over the image's upper edge; empty for none."""
        return self._text

    @property
    def line_as_painted(self) -> str:
        """The line as it is painted, broken where the image is narrow."""
        return self._line.text()

    def set_veiled(self, veiled: bool) -> None:
        """Dim the image, or show it as it is."""
        self._veiled = veiled
        self._veil()

    def _veil(self) -> None:
        self.view.veil.cover(self.size_ if self._veiled else (0, 0), surround(self.palette()))

    def set_stickers(self, stickers: tuple[Sticker, ...], selected: frozenset[int], *, handles: bool) -> None:
        """Show the outlines of stickers and, with ``handles``, the grips of the selected one if it is the only one and can be taken."""
        self.view.outlines.show_stickers(stickers, selected)
        chosen = [sticker for sticker in stickers if sticker.id in selected]
        taken = handles and len(chosen) == 1 and chosen[0].visible and not chosen[0].locked
        self.view.handles.show_sticker(chosen[0] if taken else None, self.size_)

    def set_sketch(self, sketch: Sketch | None, circle: tuple[float, float, float] | None) -> None:
        """Show what a gesture sketches, and the circle of the brush: x, y and radius in image pixels."""
        self.view.sketch.show_sketch(sketch)
        self.view.brush.show_circle(circle)

    # ------------------------------------------------------------------ place on the screen

    def set_viewpoint(self, viewpoint: Viewpoint) -> None:
        """Set zoom and pan."""
        width, height = self.viewport.width(), self.viewport.height()
        if not width or not height:
            return
        self.placement = Placement.of(viewpoint, width, height)
        left, top = self.placement.to_image(0, 0)
        scale = self.placement.scale
        self.view.box.setRange(QRectF(left, top, width / scale, height / scale), padding=0)
        for item in self.view.overlays:
            item.place(self.placement, width, height)

    def position(self, x: float, y: float) -> QPoint:
        """Return the position of an image point in the viewport."""
        left, top = self.placement.to_screen(x, y)
        return QPoint(to_whole(left), to_whole(top))

    def grab_image(self) -> QImage:
        """Return the visible part of the image at the size on the screen, without outlines, handles and mark."""
        view = self.view
        hidden = [item for item in (view.outlines, view.handles, view.sketch, view.brush, view.mark) if item.isVisible()]
        for item in hidden:
            item.hide()
        (left, top), (right, bottom) = (self.placement.to_screen(*corner) for corner in ((0, 0), (self.size_[1], self.size_[0])))
        there = QRect(to_whole(left), to_whole(top), to_whole(right) - to_whole(left), to_whole(bottom) - to_whole(top))
        image = self.viewport.grab(there.intersected(self.viewport.rect())).toImage()
        for item in hidden:
            item.show()
        return image

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._follow_palette()
        super().changeEvent(event)

    def _follow_palette(self) -> None:
        grey = surround(self.palette())
        self.view.setBackground(grey)
        ink = "#1a1a1a" if grey.lightness() > 128 else "#e0e0e0"
        self.hint.setStyleSheet(f"color: {ink}; background: transparent;")
        self._veil()

    def _place_labels(self) -> None:
        self.hint.setGeometry(self.view.rect().adjusted(24, 24, -24, -24))
        metrics = self._line.fontMetrics()
        lines = wrapped(self._text, metrics, self.view.width() - 2 * _LINE_PAD, _LINES)
        self._line.setText("\n".join(lines))
        self._line.setGeometry(0, 0, self.view.width(), max(1, len(lines)) * metrics.lineSpacing() + 8)
