"""HardnessPlot: the histogram of a reference set, with the mark of this image."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.panels.hardness.words import Values
from gui.plots.curves import count_ticks
from gui.plots.menu import PlotMenu, Table
from gui.theme import ADVERSARIAL, CLEAN, GRID, line_colour, muted_colour, number_font, readable, text_colour

_THIS = "this image"


class HardnessPlot(QWidget):
    """Bars of counts over a value, and a line at the value of this image, or at the right edge if it is beyond all of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.edges: Values = np.zeros(0)
        self.counts: Values = np.zeros(0)
        self.mark: float | None = None
        self.label = ""
        self.whole = True
        """Whether the values are counts."""
        self.numbers: Table = ((), ())
        """The table that the menu copies."""
        PlotMenu(self, lambda: self.numbers, "hardness")
        self.setFont(number_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(40 * GRID, 16 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(20 * GRID, 8 * GRID)

    def set_histogram(self, edges: Values, counts: Values, label: str, numbers: Table, *, whole: bool) -> None:
        """Show counts between edges; ``label`` names the values, and ``numbers`` is the table behind them."""
        self.edges, self.counts, self.label, self.numbers, self.whole = edges, counts, label, numbers, whole
        self.update()

    def set_mark(self, value: float | None) -> None:
        """Mark the value of this image; infinity stands at the right edge, None for no mark."""
        self.mark = value
        self.update()

    # ------------------------------------------------------------------ painting

    @property
    def _area(self) -> QRectF:
        line = QFontMetricsF(self.font()).lineSpacing()
        left = QFontMetricsF(self.font()).horizontalAdvance(f"{int(self.counts.max()):,}" if len(self.counts) else "0") + GRID
        return QRectF(left, line + 2, max(1.0, self.width() - left - 3 * GRID), max(1.0, self.height() - 3 * line - 6))

    def _x(self, value: float) -> float:
        area = self._area
        share = (value - self.edges[0]) / (self.edges[-1] - self.edges[0])
        return area.left() + area.width() * min(max(float(share), 0.0), 1.0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if len(self.edges) < 2:
            return
        painter = QPainter(self)
        self._paint_bars(painter)
        self._paint_axis(painter)
        if self.mark is not None:
            self._paint_mark(painter, self.mark)

    def _paint_bars(self, painter: QPainter) -> None:
        area, most = self._area, max(1.0, float(self.counts.max()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(CLEAN))
        for first, last, count in zip(self.edges[:-1], self.edges[1:], self.counts, strict=True):
            high = area.height() * float(count) / most
            left, right = self._x(first), self._x(last)
            painter.drawRect(QRectF(left, area.bottom() - high, max(1.0, right - left - 1), high))

    def _paint_axis(self, painter: QPainter) -> None:
        area, palette, metrics = self._area, self.palette(), painter.fontMetrics()
        painter.setPen(QPen(line_colour(palette), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(muted_colour(palette))
        for value, text in self._ticks(metrics.horizontalAdvance("0000")):
            box = QRectF(self._x(value) - 40, area.bottom() + 2, 80, metrics.lineSpacing())
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, text)
        below = QRectF(0, self.height() - metrics.lineSpacing(), self.width(), metrics.lineSpacing())
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self.label)
        side = QRectF(0, area.top(), area.left() - 4, metrics.lineSpacing())
        painter.drawText(side, Qt.AlignmentFlag.AlignRight, f"{int(self.counts.max()):,}")

    def _ticks(self, width: int) -> list[tuple[float, str]]:
        most = max(2, int(self._area.width() / (2 * width)))
        if self.whole:
            ((_, ticks),) = count_ticks(0.0, float(np.floor(self.edges[-1])), most)
            return [(tick, f"{tick:,.0f}") for tick in ticks]
        values = np.linspace(self.edges[0], self.edges[-1], most)
        return [(float(value), f"{value:.2f}") for value in values]

    def _paint_mark(self, painter: QPainter, value: float) -> None:
        area, palette, metrics = self._area, self.palette(), painter.fontMetrics()
        x = self._x(value if np.isfinite(value) else float(self.edges[-1]))
        painter.setPen(QPen(text_colour(palette), 2))
        painter.drawLine(QPointF(x, 2), QPointF(x, area.bottom()))
        text = f"{_THIS} →" if not np.isfinite(value) else _THIS
        wide = metrics.horizontalAdvance(text)
        left = x + 4 if x + 4 + wide < self.width() else x - 4 - wide
        painter.setPen(readable(ADVERSARIAL, palette))
        painter.drawText(QRectF(left, 0, wide + 1, metrics.lineSpacing()), Qt.AlignmentFlag.AlignLeft, text)
