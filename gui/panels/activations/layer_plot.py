"""LayerPlot: the histograms of one layer, with the bound as a line that the mouse or the arrow keys move."""

from __future__ import annotations

from math import ceil, log1p
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.plots.histograms import decades, inks, nice_ticks, paint_histogram, raster
from gui.plots.menu import PlotMenu, Table
from gui.session.bounds import decimals
from gui.theme import line_colour, muted_colour, number_font, text_colour

if TYPE_CHECKING:
    from engine.explain import LayerActivity

REACH = 8
"""The distance in screen pixels within which a press takes the line."""


class LayerPlot(QWidget):
    """Plots one `LayerActivity`, and emits the bound that the user sets."""

    boundMoved = Signal(object)
    """The user has moved the line: the bound's value; None lifts the bound. Emitted during a drag, too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layer: LayerActivity | None = None
        self.limits = (0.0, 1.0)
        """The limits of the activation axis."""
        self.bound: float | None = None
        self._grip: float | None = None
        """The distance between mouse and line at the press of a drag; None without a drag."""
        self.setFont(number_font(self.font()))
        metrics = self.fontMetrics()
        self._margins = (metrics.horizontalAdvance("100k") + 8, metrics.height() + 2, -10, -metrics.height() - 7)
        self.setMinimumSize(160, 56)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Histogram of the layer and its bound")
        PlotMenu(self, self.numbers, "activations")
        self.setToolTip(
            "How many units have which activation, on a logarithmic count axis. Drag the line from the right edge to clamp the activations "
            "there; arrow keys move it, Shift in larger steps, Delete lifts it. The triangles mark the largest activations."
        )

    def sizeHint(self) -> QSize:
        return QSize(280, 150)

    def set_layer(self, layer: LayerActivity | None) -> None:
        """Show a layer's histograms; None clears the plot."""
        self.layer = layer
        self.limits = (0.0, 1.0) if layer is None else (float(layer.edges[0]), float(layer.edges[-1]))
        self.update()

    def set_bound(self, bound: float | None) -> None:
        """Put the line at a bound; None puts it at the right edge."""
        if bound != self.bound:
            self.bound = bound
            self.setAccessibleDescription("No bound" if bound is None else f"Bound {bound:.3g}")
            self.update()

    def numbers(self) -> Table:
        """Return the histogram's bins with their counts."""
        titles = ["from", "to", "clean", "adversarial"]
        if self.layer is None:
            return titles, []
        edges = self.layer.edges.tolist()
        columns = (edges[:-1], edges[1:], self.layer.clean.tolist(), self.layer.adversarial.tolist())
        return titles, list(zip(*columns, strict=True))

    # ------------------------------------------------------------------ coordinates

    @property
    def frame(self) -> QRect:
        """Return the rectangle inside the axes."""
        return self.rect().adjusted(*self._margins)

    def x_of(self, value: float) -> float:
        """Return the widget's coordinate of an activation."""
        low, high = self.limits
        return self.frame.left() + (value - low) / (high - low) * self.frame.width()

    def value_at(self, x: float) -> float | None:
        """Return the bound of a line at the widget's coordinate ``x``; None at the right end, where it would clamp nothing."""
        low, high = self.limits
        value = low + (x - self.frame.left()) / max(1, self.frame.width()) * (high - low)
        return self.rounded(value)

    def rounded(self, value: float) -> float | None:
        """Round a bound to the digits that the axis resolves, above zero; None from the end of the axis on."""
        high = self.limits[1]
        places = decimals(high)
        return None if value >= high else max(round(value, places), 10.0**-places)

    @property
    def line_x(self) -> float:
        """Return the widget's coordinate of the line."""
        high = self.limits[1]
        return self.x_of(min(self.bound, high) if self.bound is not None else high)

    # ------------------------------------------------------------------ from the user

    def mousePressEvent(self, event: QMouseEvent) -> None:
        distance = event.position().x() - self.line_x
        if self.layer is not None and event.button() == Qt.MouseButton.LeftButton and abs(distance) <= self._reach(event.position()):
            self._grip = distance

    def _reach(self, at: QPointF) -> float:
        return max(REACH, self._handle().width() / 2) if at.y() <= self.frame.top() else REACH

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None:
            near = self.layer is not None and abs(event.position().x() - self.line_x) <= self._reach(event.position())
            self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)
            return
        self._request_bound(self.value_at(event.position().x() - self._grip))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grip = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        low, high = self.limits
        step = (high - low) / 100 * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        here = high if self.bound is None else min(self.bound, high)
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._request_bound(None)
        elif self.layer is not None and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._request_bound(self.rounded(here + (step if event.key() == Qt.Key.Key_Right else -step)))
        else:
            super().keyPressEvent(event)

    def _request_bound(self, value: float | None) -> None:
        if value != self.bound:
            self.set_bound(value)
            self.boundMoved.emit(value)

    # ------------------------------------------------------------------ paint

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.layer is None:
            return
        with QPainter(self) as painter:  # ends the painter even after an error: one that outlives its event crashes
            self._paint(painter, self.layer)

    def _paint(self, painter: QPainter, layer: LayerActivity) -> None:
        frame, ratio = self.frame, self.devicePixelRatioF()
        clean, adversarial = layer.clean.numpy()[None], layer.adversarial.numpy()[None]
        self._paint_axes(painter, frame, float(max(clean.max(), adversarial.max())))
        pixels = raster(clean, adversarial, max(1, round(frame.width() * ratio)), max(1, round(frame.height() * ratio)), self.palette())
        paint_histogram(painter, pixels[0], frame.topLeft(), ratio)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for value, colour in zip((layer.clean_max, layer.adversarial_max), inks(self.palette()), strict=True):
            self._paint_triangle(painter, self.x_of(value), frame.bottom() + 1, colour)
        self._paint_legend(painter, frame)
        self._paint_line(painter, frame)

    def _paint_axes(self, painter: QPainter, frame: QRect, largest: float) -> None:
        metrics, muted, line = self.fontMetrics(), muted_colour(self.palette()), line_colour(self.palette())
        shown = decades(largest)
        apart = max(1, ceil(len(shown) * metrics.height() / max(1, frame.height())))  # so that no label stands on another
        for count in shown[::apart]:
            y = frame.bottom() - round(log1p(count) / log1p(max(largest, 1)) * (frame.height() - 1))
            painter.setPen(line)
            painter.drawLine(frame.left(), y, frame.right(), y)
            painter.setPen(muted)
            text = f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1000}k" if count >= 1000 else str(count)
            painter.drawText(QRect(0, y - metrics.height() // 2, frame.left() - 4, metrics.height()), Qt.AlignmentFlag.AlignRight, text)
        for value in nice_ticks(*self.limits, most=max(2, frame.width() // 56)):
            x = round(self.x_of(value))
            painter.drawLine(x, frame.bottom() + 1, x, frame.bottom() + 4)
            box = QRect(x - 40, frame.bottom() + 6, 80, metrics.height())
            painter.drawText(box.translated(min(0, self.width() - x - 14), 0), Qt.AlignmentFlag.AlignHCenter, f"{value + 0.0:g}")
        painter.setPen(line)
        painter.drawLine(frame.left(), frame.bottom() + 1, frame.right(), frame.bottom() + 1)

    def _paint_legend(self, painter: QPainter, frame: QRect) -> None:
        """Paint the two names at the upper right, where the counts are smallest; the clean one is filled, the adversarial one a line."""
        metrics, left = self.fontMetrics(), frame.right() + 1
        for ink, name, filled in reversed(list(zip(inks(self.palette()), ("clean", "adversarial"), (True, False), strict=True))):
            left -= metrics.horizontalAdvance(name) + 18
            if left < frame.left():
                return
            box = QRect(left, frame.top() + (metrics.height() - 8) // 2, 8, 8)
            painter.setPen(QPen(ink, 1.5))
            painter.setBrush(ink if filled else Qt.BrushStyle.NoBrush)
            painter.drawRect(box)
            painter.setPen(text_colour(self.palette()))
            painter.drawText(QRect(left + 12, frame.top(), self.width(), metrics.height()), Qt.AlignmentFlag.AlignLeft, name)

    def _paint_triangle(self, painter: QPainter, x: float, y: int, colour: QColor) -> None:
        painter.setPen(QPen(self.palette().window().color(), 1))
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(x, y - 6), QPointF(x - 5, y + 3), QPointF(x + 5, y + 3)]))

    def _paint_line(self, painter: QPainter, frame: QRect) -> None:
        colour = text_colour(self.palette()) if self.bound is not None or self.hasFocus() else muted_colour(self.palette())
        style = Qt.PenStyle.SolidLine if self.bound is not None else Qt.PenStyle.DashLine
        painter.setPen(QPen(colour, 2 if self.hasFocus() or self._grip is not None else 1.5, style))
        painter.drawLine(QPointF(self.line_x, frame.top()), QPointF(self.line_x, frame.bottom()))
        handle = self._handle()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(handle, 3, 3)
        painter.setPen(self.palette().window().color())
        painter.drawText(handle, Qt.AlignmentFlag.AlignCenter, self._handle_text())

    def _handle_text(self) -> str:
        return "no bound" if self.bound is None else f"{self.bound:.{decimals(self.limits[1])}f}"

    def _handle(self) -> QRectF:
        """Return the handle above the line, within the widget."""
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(self._handle_text()) + 10
        left = min(max(self.line_x - width / 2, 0), self.width() - width)
        return QRectF(left, self.frame.top() - metrics.height() - 1, width, metrics.height())

    def handle_point(self) -> QPoint:
        """Return a point at which a press takes the line."""
        return QPoint(round(self.line_x), self.frame.center().y())

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().event(event)
