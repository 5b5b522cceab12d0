"""LossStrip: a slider over the iterations, painted as the sparkline of their loss."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from gui.panels.timeline.curve import EMPTY, LossCurve
from gui.theme import ADVERSARIAL, GRID, line_colour, muted_colour, number_font, readable, text_colour

_PAD = 6
"""Pixels beside the first and the last step, so that the handle is whole there."""
_SNAP = 5
"""Pixels around the mark of the flip that belong to it."""
_KNOB = 4.0
_FLIP = "flip"
_KEYS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_PageUp: 10,
    Qt.Key.Key_PageDown: -10,
}
"""Keys that move, and by how many iterations."""


class LossStrip(QSlider):
    """The whole height can be dragged: the iteration under the mouse is picked, whether the mouse moves along or jumps.

    ``value`` is the number of the iteration that the canvas shows.
    """

    picked = Signal(int)
    """The number of the step under the mouse."""
    moved = Signal(int)
    """Move by a number of iterations: a key, or the wheel."""
    firstAsked = Signal()
    endAsked = Signal()
    toggled = Signal()
    """Play, or stop playing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.curve: LossCurve = EMPTY
        self.flip: int | None = None
        self.at_end = True
        """Whether the canvas shows the end, not an iteration that was chosen: the handle is hollow then."""
        self._line: QPolygonF | None = None
        self._wheel = 0
        self.setTracking(True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Iteration")
        self.setAccessibleDescription("The arrow keys move by one iteration, Page up and Page down by ten, Home and End to the ends.")

    def sizeHint(self) -> QSize:
        return QSize(30 * GRID, 6 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(5 * GRID, 4 * GRID)

    # ------------------------------------------------------------------ contents

    def set_curve(self, curve: LossCurve, last: int) -> None:
        """Show the losses up to the number of the last step that is expected."""
        first = int(curve.steps[0]) if len(curve.steps) else 0
        self.curve, self._line = curve, None
        self.setRange(first, max(first, last))
        self.update()

    def set_marks(self, index: int | None, at_end: bool, flip: int | None) -> None:
        """Set the iteration that the canvas shows, if that is one, and the first success."""
        self.at_end, self.flip = at_end, flip
        self.setValue(self.maximum() if index is None else index)
        self.update()

    # ------------------------------------------------------------------ places

    def x_of(self, step: float) -> float:
        """Return the x coordinate of a step's number."""
        first, last = self.minimum(), self.maximum()
        return _PAD + (self.width() - 2 * _PAD) * ((step - first) / (last - first) if last > first else 0.0)

    def step_at(self, x: float) -> int:
        """Return the number of the step at an x coordinate; near the mark of the flip, that one, but at the ends the first and the last."""
        first, last = self.minimum(), self.maximum()
        inside = self.x_of(first) < x < self.x_of(last)
        if self.flip is not None and inside and abs(x - self.x_of(self.flip)) <= _SNAP:
            return self.flip
        share = (x - _PAD) / max(1, self.width() - 2 * _PAD)
        return round(first + min(max(share, 0.0), 1.0) * (last - first))

    @property
    def _area(self) -> QRectF:
        """The area of the curve: below the name and the word at the flip, above the handle."""
        top = self.fontMetrics().height() * 0.8
        return QRectF(_PAD, top + 2, self.width() - 2 * _PAD, self.height() - top - 2 - 2 * _KNOB)

    # ------------------------------------------------------------------ the hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isEnabled():
            self.setSliderDown(True)
            self.picked.emit(self.step_at(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.picked.emit(self.step_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y() or -event.angleDelta().x()
        notches, self._wheel = int(self._wheel / 120), self._wheel - 120 * int(self._wheel / 120)
        if notches:
            self.moved.emit(-notches)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        by = _KEYS.get(Qt.Key(key))
        if by is not None:
            self.moved.emit(by)
        elif key == Qt.Key.Key_Home:
            self.firstAsked.emit()
        elif key == Qt.Key.Key_End:
            self.endAsked.emit()
        elif key == Qt.Key.Key_Space:
            self.toggled.emit()
        else:
            event.ignore()

    # ------------------------------------------------------------------ painting

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._line = None

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(number_font(self.font()))
        if not len(self.curve.steps):
            return
        self._paint_curve(painter)
        self._paint_words(painter)
        self._paint_handle(painter)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _points(self) -> QPolygonF:
        if self._line is None:
            steps, losses = self.curve.reduced(max(1, self.width()))
            (low, high), area = self.curve.limits, self._area
            ys = area.bottom() - (losses - low) / (high - low) * area.height()
            first, last = self.minimum(), self.maximum()
            xs = _PAD + area.width() * ((steps - first) / (last - first) if last > first else np.zeros_like(steps))
            self._line = QPolygonF([QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)])
        return self._line

    def _paint_curve(self, painter: QPainter) -> None:
        area, points = self._area, self._points()
        painter.setPen(QPen(line_colour(self.palette()), 1))
        painter.drawLine(QPointF(area.left(), area.bottom() + _KNOB), QPointF(area.right(), area.bottom() + _KNOB))
        if points.isEmpty():
            return
        colour = QColor(ADVERSARIAL)
        painter.setPen(QPen(colour, 1.5))
        if points.size() == 1:
            painter.setBrush(colour)
            painter.drawEllipse(points.at(0), 2, 2)
        else:
            painter.drawPolyline(points)

    def _paint_words(self, painter: QPainter) -> None:
        """Paint the mark of the flip with its word, and the name of the loss where that word leaves room for it."""
        metrics, palette = painter.fontMetrics(), self.palette()
        height = metrics.height()
        left, right = float(_PAD), float(self.width() - _PAD)
        if self.flip is not None and self.minimum() <= self.flip <= self.maximum():
            x, width = self.x_of(self.flip), metrics.horizontalAdvance(_FLIP)
            painter.setPen(QPen(text_colour(palette), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - _KNOB))
            at = x + 4 if x + 4 + width < right else x - 4 - width
            painter.setPen(readable(ADVERSARIAL, palette))
            painter.drawText(QRectF(at, 0, width + 1, height), Qt.AlignmentFlag.AlignLeft, _FLIP)
            left, right = (
                (left, min(at, x) - GRID) if min(at, x) - left > right - max(at + width, x) else (max(at + width, x) + GRID, right)
            )
        text = metrics.elidedText(self.curve.name, Qt.TextElideMode.ElideRight, max(0, int(right - left)))
        painter.setPen(muted_colour(palette))
        painter.drawText(QRectF(left, 0, max(0.0, right - left), height), Qt.AlignmentFlag.AlignLeft, text)

    def _paint_handle(self, painter: QPainter) -> None:
        """Paint the iteration that is shown on top of everything else: a line, and a knob below it."""
        palette, x = self.palette(), self.x_of(self.value())
        colour = text_colour(palette) if self.isEnabled() else muted_colour(palette)
        base = self._area.bottom() + _KNOB
        painter.setPen(QPen(palette.window().color(), 4))
        painter.drawLine(QPointF(x, self._area.top()), QPointF(x, base))
        painter.setPen(QPen(colour, 2))
        painter.drawLine(QPointF(x, self._area.top()), QPointF(x, base))
        painter.setBrush(palette.window().color() if self.at_end else colour)
        painter.drawEllipse(QPointF(x, base), _KNOB, _KNOB)
