"""Overlays of the image: pixel grid and mark. In screen pixels, so that lines keep their width."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.canvas.placement import Placement

GRID_FROM = 12
"""The least zoom, in screen pixels per image pixel, at which the grid is shown."""
GRID = 0x552B2B2B
"""Middle grey at a third of full opacity, premultiplied: visible on light and dark pixels."""
HALO = QColor(0, 0, 0, 170)
LINE = QColor(255, 255, 255)


class OverlayItem(QGraphicsItem):
    """An overlay of the whole pane, which knows the placement of the image."""

    def __init__(self, z: float) -> None:
        super().__init__()
        self.placement = Placement(0, 0, 1.0)
        self._area = QRectF(0, 0, 1, 1)
        self.setZValue(z)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def place(self, placement: Placement, width: int, height: int) -> None:
        """Set the placement of the image and the size of the pane."""
        self.prepareGeometryChange()
        self.placement = placement
        self._area = QRectF(0, 0, width, height)
        self.update()

    def boundingRect(self) -> QRectF:
        return self._area


class GridItem(OverlayItem):
    """The grid of lines between the image's pixels, shown from `GRID_FROM` on."""

    def __init__(self) -> None:
        super().__init__(z=1)
        self._size = (0, 0)
        self._wanted = True
        self._drawn: QImage | None = None
        """The drawn grid, cached: blending each line at every paint would take ten times as long."""

    def set_size(self, width: int, height: int) -> None:
        """Set the size of the image in pixels; 0 for no grid."""
        if (width, height) != self._size:
            self._size, self._drawn = (width, height), None
            self.update()

    def set_wanted(self, wanted: bool) -> None:
        """Set whether the grid is shown where the zoom is high enough."""
        if wanted != self._wanted:
            self._wanted = wanted
            self.update()

    def place(self, placement: Placement, width: int, height: int) -> None:
        super().place(placement, width, height)
        self._drawn = None

    @property
    def shown(self) -> bool:
        """Whether the grid is wanted and the zoom is high enough for it."""
        return self._wanted and self.placement.scale >= GRID_FROM and 0 not in self._size

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.shown:
            ratio = painter.device().devicePixelRatio()
            if self._drawn is None or self._drawn.devicePixelRatio() != ratio:
                self._drawn = self._draw(ratio)
            painter.drawImage(QPointF(0, 0), self._drawn)

    def _draw(self, ratio: float) -> QImage:
        width, height = math.ceil(self._area.width() * ratio), math.ceil(self._area.height() * ratio)
        columns = _lines(self.placement.left, self.placement.scale, self._size[0], ratio)
        rows = _lines(self.placement.top, self.placement.scale, self._size[1], ratio)
        # Only the lines that are within the pane.
        across = slice(max(0, columns[0]), max(0, columns[-1] + 1))
        down = slice(max(0, rows[0]), max(0, rows[-1] + 1))
        ruled = np.zeros((height, width), dtype=np.uint32)
        ruled[down, columns[(columns >= 0) & (columns < width)]] = GRID
        ruled[rows[(rows >= 0) & (rows < height)], across] = GRID
        image = QImage(ruled.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
        image.setDevicePixelRatio(ratio)
        return image


def _lines(start: int, scale: float, count: int, ratio: float) -> np.ndarray:
    """Return the positions of the lines between ``count`` pixels, in device pixels."""
    lines: np.ndarray = np.round((start + np.arange(count + 1) * scale) * ratio).astype(np.int64)
    return lines


class MarkItem(OverlayItem):
    """The mark of one pixel: the one under the mouse in the other pane, or a chosen one."""

    def __init__(self) -> None:
        super().__init__(z=4)
        self._at: tuple[int, int] | None = None

    def mark(self, at: tuple[int, int] | None) -> None:
        """Mark the pixel (column, row); None removes the mark."""
        if at != self._at:
            self._at = at
            self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._at is None:
            return
        left, top = self.placement.to_screen(*self._at)
        side = max(self.placement.scale, 5.0)
        rect = QRectF(left, top, side, side)
        rect.moveCenter(QPointF(left + self.placement.scale / 2, top + self.placement.scale / 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((HALO, 3), (LINE, 1)):
            painter.setPen(thin_pen(colour, width))
            painter.drawRect(rect)


def thin_pen(colour: QColor, width: float) -> QPen:
    """Return a pen with square joins, of a width in screen pixels."""
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)
