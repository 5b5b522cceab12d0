"""Overlays of the image: pixel grid, stickers' outlines, handles. In screen pixels, so that lines and handles keep their size.

One item paints all outlines and one all handles: few items keep the window smooth while an attack runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.canvas.placement import Placement, to_whole

if TYPE_CHECKING:
    from engine.stickers import Sticker

GRID_FROM = 12
"""The least zoom, in screen pixels per image pixel, at which the grid is shown."""
HANDLE_SIZE = 8
GRID = 0x552B2B2B
"""Middle grey at a third of full opacity, premultiplied: visible on light and dark pixels."""
HALO = QColor(0, 0, 0, 170)
LINE = QColor(255, 255, 255)


def outline(sticker: Sticker, placement: Placement) -> QRectF:
    """Return the sticker's bounding box in screen pixels."""
    left, top = placement.to_screen(sticker.x, sticker.y)
    return QRectF(left, top, sticker.width * placement.scale, sticker.height * placement.scale)


def edge_of(sticker: Sticker, placement: Placement) -> QPainterPath:
    """Return the edge of the sticker's shape in screen pixels; its box is rounded to whole ones, as the image's own pixels are."""
    path = QPainterPath()
    for loop in sticker.shape.outlines():
        edge = _on_screen(sticker, loop, placement)
        path.addPolygon(QPolygonF([*edge, edge[0]]))
        path.closeSubpath()
    return path


def _on_screen(sticker: Sticker, loop: Sequence[tuple[float, float]], placement: Placement) -> list[QPointF]:
    if sticker.angle != 0:
        from engine.stickers import to_image

        return [QPointF(*placement.to_screen(*to_image(sticker, u, v))) for u, v in loop]
    exact = outline(sticker, placement)
    box = QRectF(*(QPointF(to_whole(point.x()), to_whole(point.y())) for point in (exact.topLeft(), exact.bottomRight())))
    return [QPointF(box.left() + u * box.width(), box.top() + v * box.height()) for u, v in loop]


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


class OutlinesItem(OverlayItem):
    """The outlines of all stickers, in z-order: dashed for stickers to be optimised, solid for all others."""

    def __init__(self) -> None:
        super().__init__(z=2)
        self.stickers: tuple[Sticker, ...] = ()
        self.selected: int | None = None

    def show_stickers(self, stickers: tuple[Sticker, ...], selected: int | None) -> None:
        """Show the outlines of stickers."""
        self.stickers, self.selected = stickers, selected
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not self.stickers:
            return
        from engine.stickers import Optimised

        painter.setBrush(Qt.BrushStyle.NoBrush)
        for sticker in self.stickers:
            chosen = sticker.id == self.selected
            edge = edge_of(sticker, self.placement)
            # A dark line beneath a white one is visible on any image.
            painter.setPen(thin_pen(HALO, 4 if chosen else 3))
            painter.drawPath(edge)
            pen = thin_pen(LINE, 2 if chosen else 1)
            if isinstance(sticker.content, Optimised):
                pen.setDashPattern([4 / pen.widthF(), 4 / pen.widthF()])
            painter.setPen(pen)
            painter.drawPath(edge)


class HandlesItem(OverlayItem):
    """The eight handles of the selected sticker, of the same size at any zoom."""

    def __init__(self) -> None:
        super().__init__(z=3)
        self.sticker: Sticker | None = None

    def show_sticker(self, sticker: Sticker | None) -> None:
        """Show the handles of a sticker; None hides them."""
        self.sticker = sticker
        self.update()

    def centres(self) -> list[QPointF]:
        """The handles' centres in screen pixels. A short edge has no handle in its middle."""
        if self.sticker is None:
            return []
        from engine.stickers import HANDLES, handle_position

        room = 3.5 * HANDLE_SIZE
        shown = outline(self.sticker, self.placement)
        wide, high = shown.width() >= room, shown.height() >= room
        kept = [handle for handle in HANDLES if len(handle) == 2 or (wide if handle in "ns" else high)]
        # Around a sticker that is small on the screen the handles are moved outwards, so that it stays visible.
        aside_x = HANDLE_SIZE / 2 + 1 if shown.width() < room else 0
        aside_y = HANDLE_SIZE / 2 + 1 if shown.height() < room else 0
        centres = []
        for handle in kept:
            x, y = self.placement.to_screen(*handle_position(self.sticker, handle))
            x += aside_x * (("e" in handle) - ("w" in handle))
            y += aside_y * (("s" in handle) - ("n" in handle))
            centres.append(QPointF(x, y))
        return centres

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setPen(thin_pen(QColor(0, 0, 0, 220), 1))
        painter.setBrush(LINE)
        half = HANDLE_SIZE / 2
        for centre in self.centres():
            painter.drawRect(QRectF(centre.x() - half, centre.y() - half, HANDLE_SIZE, HANDLE_SIZE))


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
