"""Overlays that belong to a view of two images: the veil over an outdated image, the divider of the wipe, the scale of the difference."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.canvas.items import HALO, LINE, OverlayItem, thin_pen
from gui.plots.colour_maps import DIVERGING

GRIP = 9.0
"""Half the height of the divider's grip, in screen pixels."""
_BAR = 8
_GAP = 6


class VeilItem(OverlayItem):
    """A veil in the colour of the surround over an image, or over the part of it that is right of the divider."""

    def __init__(self) -> None:
        super().__init__(z=0.5)
        self._size = (0, 0)
        self._colour = QColor()
        self._from = 0.0

    def cover(self, size: tuple[int, int], surround: QColor, left: float = 0.0) -> None:
        """Cover an image of a height and width, from a column on; a size of zero removes the veil."""
        colour = QColor(surround)
        colour.setAlphaF(0.6)
        self._size, self._colour, self._from = size, colour, left
        self.update()

    @property
    def shown(self) -> bool:
        """Whether anything is covered."""
        return 0 not in self._size

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.shown:
            height, width = self._size
            corners = (self.placement.to_screen(self._from, 0), self.placement.to_screen(width, height))
            painter.fillRect(QRectF(QPointF(*corners[0]), QPointF(*corners[1])), self._colour)


class DividerItem(OverlayItem):
    """The line between the two images of the wipe, with a grip at its foot."""

    def __init__(self) -> None:
        super().__init__(z=5)
        self._at: tuple[float, int] | None = None

    def put(self, x: float | None, height: int) -> None:
        """Put the line at an image column; None hides it."""
        self._at = None if x is None else (x, height)
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._at is None:
            return
        x, top = self.placement.to_screen(self._at[0], 0)
        bottom = self.placement.to_screen(0, self._at[1])[1]
        x, top, bottom = round(x), max(top, 0), min(bottom, self.boundingRect().height())
        for colour, width in ((HALO, 4), (LINE, 2)):
            painter.setPen(thin_pen(colour, width))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(thin_pen(HALO, 1))
        painter.setBrush(LINE)
        y = bottom - 3 * GRIP
        for way in (-1, 1):
            painter.drawPolygon(
                QPolygonF([QPointF(x + way * 4, y - GRIP), QPointF(x + way * 4, y + GRIP), QPointF(x + way * (4 + GRIP), y)])
            )


class ScaleItem(OverlayItem):
    """The colour scale of a difference, in a corner of the pane."""

    def __init__(self) -> None:
        super().__init__(z=6)
        self.texts: tuple[str, ...] = ()
        self._strip = np.ascontiguousarray(DIVERGING[None])

    def show_limits(self, texts: tuple[str, ...]) -> None:
        """Show the scale with the texts at its low end, middle and high end; hide it without any."""
        if texts != self.texts:
            self.texts = texts
            self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not self.texts:
            return
        metrics = painter.fontMetrics()
        low, middle, high = self.texts
        width = max(140, metrics.horizontalAdvance(low + middle + high) + 4 * _GAP)
        box = QRectF(_GAP, _GAP, width + 2 * _GAP, _BAR + metrics.height() + 2 * _GAP)
        painter.fillRect(box, QColor(0, 0, 0, 170))
        bar = QRectF(box.left() + _GAP, box.top() + _GAP, width, _BAR)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, QImage(self._strip.data, 256, 1, 768, QImage.Format.Format_RGB888))
        painter.setPen(LINE)
        line = QRectF(bar.left(), bar.bottom() + 2, bar.width(), metrics.height())
        for text, side in ((low, Qt.AlignmentFlag.AlignLeft), (middle, Qt.AlignmentFlag.AlignHCenter), (high, Qt.AlignmentFlag.AlignRight)):
            painter.drawText(line, int(side), text)
