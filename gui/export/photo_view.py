"""PhotoView: a photograph with frames whose four corners are dragged by the mouse or moved by keys."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme

COLOURS = ("#D55E00", "#56B4E9")
"""Colours of the frame of the image and of the chart, as in the figure."""
_NAMES = ("image", "chart")
_CORNERS = ("upper left", "upper right", "lower right", "lower left")
_REACH = 14
"""Distance in pixels of the screen at which a corner is taken."""
_RADIUS = 5
_MOVES = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
Corner = tuple[int, int]
"""Number of a frame, and number of its corner."""


class PhotoView(QWidget):
    """Shows the photograph as large as it fits. Keys 1 to 4 choose a corner, C the other frame; arrows move it by one pixel, or ten."""

    changed = Signal()
    """A corner was moved and let go: read ``corners``."""

    def __init__(self, pixels: NDArray[np.uint8], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = QSizeF(pixels.shape[1], pixels.shape[0])
        self._picture = QPixmap.fromImage(_image(pixels))
        self._fitted = QPixmap()
        width, height = int(self._size.width()), int(self._size.height())
        self._frames = [_rectangle(width, height, 0.1, 0.1, 0.55, 0.9), _rectangle(width, height, 0.65, 0.4, 0.95, 0.6)]
        self._with_chart = False
        self._current: Corner = (0, 0)
        self._dragged: Corner | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(360, 300)
        self.setAccessibleName("Photograph with the corners of the print")
        self.setToolTip("Drag the four corners to those of the image. Keys: 1 to 4 a corner, C the chart's, arrows one pixel, Shift ten")

    # ------------------------------------------------------------------ values

    def corners(self, frame: int) -> tuple[tuple[float, float], ...]:
        """Return the corners of a frame in pixels of the photograph: upper left, upper right, lower right, lower left."""
        return tuple((point.x(), point.y()) for point in self._frames[frame])

    def set_corners(self, frame: int, corners: Sequence[tuple[float, float]]) -> None:
        """Move all corners of a frame."""
        self._frames[frame] = [self._inside(QPointF(x, y)) for x, y in corners]
        self.update()
        self.changed.emit()

    @property
    def with_chart(self) -> bool:
        """Whether the chart's frame is shown."""
        return self._with_chart

    def show_chart(self, shown: bool) -> None:
        """Show the chart's frame, or take it away."""
        self._with_chart = shown
        self._current = (1, 0) if shown else (0, 0)
        self.update()
        self.changed.emit()

    # ------------------------------------------------------------------ places

    @property
    def _scale(self) -> float:
        room = QSize(max(1, self.width() - 4 * _RADIUS), max(1, self.height() - 4 * _RADIUS))
        return min(room.width() / self._size.width(), room.height() / self._size.height())

    @property
    def _area(self) -> QRectF:
        width, height = self._size.width() * self._scale, self._size.height() * self._scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def on_screen(self, x: float, y: float) -> QPointF:
        """Return where a point of the photograph is on the widget."""
        return self._area.topLeft() + QPointF(x, y) * self._scale

    def _on_photo(self, at: QPointF) -> QPointF:
        return self._inside((at - self._area.topLeft()) / self._scale)

    def _inside(self, point: QPointF) -> QPointF:
        return QPointF(min(max(point.x(), 0.0), self._size.width()), min(max(point.y(), 0.0), self._size.height()))

    def _nearest(self, at: QPointF) -> Corner | None:
        """Return the corner within reach of a place on the widget; where several are, the nearest."""
        shown = range(2 if self._with_chart else 1)
        found = [(self._distance(at, point), (frame, corner)) for frame in shown for corner, point in enumerate(self._frames[frame])]
        distance, corner = min(found)
        return corner if distance <= _REACH else None

    def _distance(self, at: QPointF, point: QPointF) -> float:
        apart = self.on_screen(point.x(), point.y()) - at
        return math.hypot(apart.x(), apart.y())

    # ------------------------------------------------------------------ mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        corner = self._nearest(event.position()) if event.button() == Qt.MouseButton.LeftButton else None
        if corner is not None:
            self._current = self._dragged = corner
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is None:
            near = self._nearest(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeAllCursor if near else Qt.CursorShape.ArrowCursor)
            return
        self._move(self._dragged, self._on_photo(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None and event.button() == Qt.MouseButton.LeftButton:
            self._move(self._dragged, self._on_photo(event.position()))
            self._dragged = None
            self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        frame, corner = self._current
        key = Qt.Key(event.key())
        if key in _MOVES:
            dx, dy = _MOVES[key]
            step = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._move(self._current, self._inside(self._frames[frame][corner] + QPointF(dx, dy) * step))
            self.changed.emit()
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_4:
            self._current = frame, int(key) - int(Qt.Key.Key_1)
            self.update()
        elif key == Qt.Key.Key_C and self._with_chart:
            self._current = 1 - frame, corner
            self.update()
        else:
            super().keyPressEvent(event)

    def _move(self, corner: Corner, point: QPointF) -> None:
        self._frames[corner[0]][corner[1]] = point
        self.update()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        picture = self._fit()
        painter.drawPixmap(self._area, picture, QRectF(picture.rect()))
        for frame in range(2 if self._with_chart else 1):
            self._paint_frame(painter, frame)
        painter.end()

    def _fit(self) -> QPixmap:
        """Return the photograph at the size of the screen, which is kept: to scale 12 megapixels takes longer than a move of the mouse."""
        wanted = (self._area.size() * self.devicePixelRatioF()).toSize()
        if self._fitted.size() != wanted:
            ratio, way = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            self._fitted = self._picture.scaled(wanted, ratio, way)
        return self._fitted

    def _paint_frame(self, painter: QPainter, frame: int) -> None:
        points = [self.on_screen(point.x(), point.y()) for point in self._frames[frame]]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor("#ffffff"), 3.0), (QColor(COLOURS[frame]), 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(QPolygonF(points))
        for corner, point in enumerate(points):
            chosen = self.hasFocus() and (frame, corner) == self._current
            painter.setPen(QPen(QColor("#ffffff"), 1.5))
            painter.setBrush(QColor(COLOURS[frame]))
            radius = _RADIUS + (2 if chosen else 0)
            painter.drawEllipse(point, radius, radius)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(points[0] + QPointF(theme.GRID, -theme.GRID), f"{_NAMES[frame]}, {_CORNERS[0]}")

    def focusInEvent(self, event: QEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        self.update()


def _rectangle(width: int, height: int, left: float, top: float, right: float, bottom: float) -> list[QPointF]:
    return [QPointF(x * width, y * height) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]


def _image(pixels: NDArray[np.uint8]) -> QImage:
    kept = np.ascontiguousarray(pixels)
    form = QImage.Format.Format_Grayscale8 if kept.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(kept.data, kept.shape[1], kept.shape[0], kept.strides[0], form).copy()
