"""Overlays of stickers: their outlines, the grips of the selected one, a gesture's sketch and the brush. In screen pixels.

One item paints all outlines and one all grips: few items keep the window smooth while an attack runs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPolygonF, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.canvas.items import HALO, LINE, OverlayItem, thin_pen
from gui.canvas.placement import Placement, to_whole
from gui.canvas.tools import Cells, Sketch, grips
from gui.canvas.tools.picking import SIZE, TURNS

if TYPE_CHECKING:
    from engine.stickers import Shape, Sticker

PAINTED, TAKEN = QColor(0, 158, 115, 150), QColor(213, 94, 0, 150)
"""The colours of a stroke that paints, and of one that erases."""
_KNOB = 5.0
"""Radius of the grip that rotates, in screen pixels."""


def outline(sticker: Sticker, placement: Placement) -> QRectF:
    """Return the sticker's bounding box in screen pixels, before its rotation."""
    left, top = placement.to_screen(sticker.x, sticker.y)
    return QRectF(left, top, sticker.width * placement.scale, sticker.height * placement.scale)


def edge_of(sticker: Sticker, placement: Placement) -> QPainterPath:
    """Return the edge of the sticker's shape in screen pixels; an upright box is rounded to whole ones, as the image's own pixels are."""
    box = outline(sticker, placement)
    if sticker.angle == 0:
        box = QRectF(*(QPointF(to_whole(point.x()), to_whole(point.y())) for point in (box.topLeft(), box.bottomRight())))
    to_screen = QTransform()
    to_screen.translate(box.center().x(), box.center().y())
    to_screen.rotate(sticker.angle)
    to_screen.scale(box.width(), box.height())
    to_screen.translate(-0.5, -0.5)
    return to_screen.map(_unit_edge(sticker.shape))


@lru_cache(maxsize=256)
def _unit_edge(shape: Shape) -> QPainterPath:
    """Return the edge of a shape in the unit square, kept since a thousand corners take longer to gather than to draw."""
    path = QPainterPath()
    for loop in shape.outlines():
        path.addPolygon(QPolygonF([QPointF(u, v) for u, v in (*loop, loop[0])]))
        path.closeSubpath()
    return path


class OutlinesItem(OverlayItem):
    """The outlines of all visible stickers, in z-order: dashed for stickers to be optimised, solid for all others."""

    def __init__(self) -> None:
        super().__init__(z=2)
        self.stickers: tuple[Sticker, ...] = ()
        self.selected: frozenset[int] = frozenset()

    def show_stickers(self, stickers: tuple[Sticker, ...], selected: frozenset[int]) -> None:
        """Show the outlines of stickers."""
        self.stickers, self.selected = stickers, selected
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not self.stickers:
            return
        from engine.stickers import Optimised

        painter.setBrush(Qt.BrushStyle.NoBrush)
        for sticker in self.stickers:
            if not sticker.visible:
                continue
            chosen = sticker.id in self.selected
            edge = edge_of(sticker, self.placement)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, sticker.angle % 90 != 0)
            # A dark line beneath a white one is visible on any image.
            painter.setPen(thin_pen(HALO, 4 if chosen else 3))
            painter.drawPath(edge)
            pen = thin_pen(LINE, 2 if chosen else 1)
            if isinstance(sticker.content, Optimised):
                pen.setDashPattern([4 / pen.widthF(), 4 / pen.widthF()])
            painter.setPen(pen)
            painter.drawPath(edge)


class HandlesItem(OverlayItem):
    """The handles of the selected sticker and the round grip that rotates it, of the same size at any zoom."""

    def __init__(self) -> None:
        super().__init__(z=3)
        self.sticker: Sticker | None = None
        self._size = (0, 0)

    def show_sticker(self, sticker: Sticker | None, size: tuple[int, int] = (0, 0)) -> None:
        """Show the grips of a sticker on an image of a height and width; None hides them."""
        self.sticker, self._size = sticker, size
        self.update()

    def centres(self) -> list[QPointF]:
        """The handles' centres in screen pixels, without the grip that rotates."""
        return [at for grip, at in self._places().items() if grip not in TURNS]

    def knob(self) -> QPointF | None:
        """The centre of the grip that rotates, in screen pixels."""
        return next((at for grip, at in self._places().items() if grip in TURNS), None)

    def _places(self) -> dict[str, QPointF]:
        if self.sticker is None:
            return {}
        places = grips(self.sticker, 1 / self.placement.scale, *self._size)
        return {grip: QPointF(*self.placement.to_screen(*at)) for grip, at in places.items()}

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        knob = self.knob()
        if self.sticker is None or knob is None:
            return
        dark = QColor(0, 0, 0, 220)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self.sticker.angle % 90 != 0)
        painter.setPen(thin_pen(dark, 1))
        painter.setBrush(LINE)
        half = SIZE / 2
        for centre in self.centres():
            painter.save()
            painter.translate(centre)
            painter.rotate(self.sticker.angle)
            painter.drawRect(QRectF(-half, -half, SIZE, SIZE))
            painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawEllipse(knob, _KNOB, _KNOB)
        painter.setBrush(dark)
        painter.drawEllipse(knob, 1.5, 1.5)


class SketchItem(OverlayItem):
    """The sketch of a gesture before there is a sticker: the open line of a polygon, a selecting band, a stroke of the brush."""

    def __init__(self) -> None:
        super().__init__(z=3.5)
        self.sketch: Sketch | None = None

    def show_sketch(self, sketch: Sketch | None) -> None:
        """Show a sketch; None removes it."""
        if sketch is not self.sketch:
            self.sketch = sketch
            self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        sketch = self.sketch
        if sketch is None:
            return
        if sketch.cells is not None:
            self._paint_cells(painter, sketch.cells, TAKEN if sketch.erases else PAINTED)
        if sketch.band is not None:
            (left, top), (right, bottom) = (self.placement.to_screen(*at) for at in (sketch.band[:2], sketch.band[2:]))
            painter.setBrush(QColor(255, 255, 255, 40))
            for colour, width in ((HALO, 3), (LINE, 1)):
                painter.setPen(thin_pen(colour, width))
                painter.drawRect(QRectF(QPointF(left, top), QPointF(right, bottom)))
        if sketch.line:
            self._paint_line(painter, sketch)

    def _paint_cells(self, painter: QPainter, cells: Cells, colour: QColor) -> None:
        rows, columns = cells.covered.shape
        if not rows or not columns:
            return
        values = np.where(cells.covered, np.uint32(colour.rgba()), np.uint32(0))
        image = QImage(values.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32)
        left, top = (to_whole(edge) for edge in self.placement.to_screen(cells.left, cells.top))
        right, bottom = (to_whole(edge) for edge in self.placement.to_screen(cells.left + columns, cells.top + rows))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(left, top, right - left, bottom - top), image)

    def _paint_line(self, painter: QPainter, sketch: Sketch) -> None:
        corners = [QPointF(*self.placement.to_screen(x, y)) for x, y in sketch.line]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((HALO, 4), (LINE, 2)):
            painter.setPen(thin_pen(colour, width))
            painter.drawPolyline(QPolygonF(corners))
        painter.setPen(thin_pen(QColor(0, 0, 0, 220), 1))
        painter.setBrush(LINE)
        for corner in corners[:-1]:
            painter.drawEllipse(corner, 3, 3)
        if sketch.closes:
            painter.drawEllipse(corners[0], 5, 5)


class BrushItem(OverlayItem):
    """The circle of the brush about the pixel under the mouse."""

    def __init__(self) -> None:
        super().__init__(z=4)
        self.circle: tuple[float, float, float] | None = None

    def show_circle(self, circle: tuple[float, float, float] | None) -> None:
        """Show a circle by its middle and radius in image pixels; None removes it."""
        if circle != self.circle:
            self.circle = circle
            self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.circle is None:
            return
        x, y, radius = self.circle
        centre, length = QPointF(*self.placement.to_screen(x, y)), radius * self.placement.scale
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((HALO, 3), (LINE, 1)):
            painter.setPen(thin_pen(colour, width))
            painter.drawEllipse(centre, length, length)
