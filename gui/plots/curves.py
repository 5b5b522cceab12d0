"""Curves: a few lines over a common x axis, with a legend and a readout of the values under the mouse."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.text.formatting import format_share as percent
from engine.text.formatting import short, with_minus
from gui.plots.menu import PlotMenu, Table
from gui.theme import GRID, line_colour, muted_colour, number_font, readable, rich, text_colour
from gui.widgets.text import Sentence

Values = npt.NDArray[np.floating]
MOST_LINES = 8
_LABEL_WIDTH = 48
"""Pixels of an axis for each label of a count."""
FURTHER = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#B8860B")
"""Colours of lines that have no colour of their own, from Okabe and Ito's set."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line of the plot."""

    name: str
    y: Values
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Axes:
    """Labels and scales of the axes."""

    x: str = "step"
    y: str = ""
    percent: bool = False
    """Whether y is a share, shown in percent."""
    x_scale: float = 1.0
    """The factor between x and the axis's numbers, such as 255 for grey levels."""
    log: bool = False
    """Whether the x axis is logarithmic."""
    counted: bool = True
    """Whether x is a count, so that the axis's numbers are whole."""

    def along(self, x: Values) -> Values:
        """Return the plot's coordinate of x."""
        scaled = x * self.x_scale
        return np.log10(scaled) if self.log else scaled

    def back(self, along: float) -> float:
        """Return x in the axis's numbers, from a coordinate of the plot."""
        return 10.0**along if self.log else along

    def y_text(self, value: float) -> str:
        """Return a y value as text for the readout."""
        return "–" if not np.isfinite(value) else percent(value) if self.percent else with_minus(short(value))

    def x_text(self, value: float) -> str:
        """Return an x value as text for the readout."""
        return with_minus(f"{value:.3g}" if value != round(value) else f"{value:,.0f}")


class CurveAxis(pg.AxisItem):
    """An axis that shows shares in percent and logarithms as the original numbers."""

    percent = False
    log = False
    whole = False
    """Whether the axis is of a count, so that all its ticks are whole."""
    ends: tuple[float, float] = (0.0, 1.0)
    """The first and the last count, which have a tick each."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return the ticks; on a logarithmic axis 1, 3, 10, 30 and so on; of a count round numbers, and the first and the last."""
        if self.whole and not self.log:
            return count_ticks(*self.ends, most=max(2, int(size / _LABEL_WIDTH)))
        if not self.log:
            levels: list[tuple[float, list[float]]] = super().tickValues(minVal, maxVal, size)
            return levels
        decades = range(math.floor(minVal), math.ceil(maxVal) + 1)
        tens, threes = ([decade + offset for decade in decades] for offset in (0.0, math.log10(3)))
        return [(1.0, [at for at in ticks if minVal <= at <= maxVal]) for ticks in (tens, threes)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.percent:
            return [f"{100 * value:.0f} %" for value in values]
        if self.log:
            return [f"{10.0**value:,.0f}" if value >= 1 else f"{10.0**value:.2g}" for value in values]
        if self.whole:
            return [f"{value:,.0f}" if value == round(value) else "" for value in values]
        texts: list[str] = super().tickStrings(values, scale, spacing)
        return [text.replace("-", "−") for text in texts]


def count_ticks(first: float, last: float, most: int) -> list[tuple[float, list[float]]]:
    """Return at most ``most`` ticks from the first to the last count, both included, in steps of 1, 2 or 5 times a power of ten."""
    if last <= first:
        return [(1.0, [first])]
    least = max(1.0, (last - first) / max(1, most - 1))
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    inner = [step * k for k in range(math.floor(first / step) + 1, math.ceil(last / step))]
    return [(step, [first, *(at for at in inner if at - first >= 0.6 * step and last - at >= 0.6 * step), last])]


class Curves(QWidget):
    """A plot with legend and readout. Items are updated in place; of too many lines those of the least values are left out."""

    hovered = Signal(object)
    """The x value under the mouse; None when the mouse leaves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[Line, ...] = ()
        self.xs: Values = np.zeros(0)
        """The x values in the axis's numbers."""
        self.axes = Axes()
        self._left_out = 0
        self._left, self._bottom = CurveAxis("left"), CurveAxis("bottom")
        for axis in (self._left, self._bottom):
            axis.enableAutoSIPrefix(False)
        self._bottom.setStyle(hideOverlappingLabels=False)  # it would leave out the last label, which reaches beyond the axis
        self.plot = pg.PlotWidget(parent=self, axisItems={"left": self._left, "bottom": self._bottom})
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setMinimumSize(160, 64)
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.viewport().installEventFilter(self)
        self.plot.viewport().setMouseTracking(True)
        self.plot.getPlotItem().setContentsMargins(0, 4, 2 * GRID, 0)
        self._items: list[pg.PlotDataItem] = []
        self._marker = self._vertical(2.0)
        self._mark = self._vertical(1.0, Qt.PenStyle.DashLine)
        self._cursor = self._vertical(1.0, Qt.PenStyle.DotLine)
        self.key = rich(QLabel(self))
        self.key.setFont(number_font(self.font()))
        self.key.setWordWrap(True)
        self.key.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.readout = Sentence(2, muted=True)
        self.readout.setAccessibleName("Values under the mouse")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, 4, GRID, 4)
        layout.setSpacing(2)
        layout.addWidget(self.key)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.readout)
        self._words = ""
        """The text of the readout while the mouse is elsewhere."""
        self.plot.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the whole widget has one menu
        PlotMenu(self, self.numbers, "curves")
        self._follow_palette()

    def _vertical(self, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=90, movable=False)
        line.hide()
        line.setZValue(-5 if style != Qt.PenStyle.SolidLine else 5)
        line.made = (width, style)
        self.plot.addItem(line, ignoreBounds=True)
        return line

    # ------------------------------------------------------------------ contents

    def set_lines(self, x: Values, lines: Sequence[Line], axes: Axes, note: str = "") -> None:
        """Show ``lines`` over ``x``. The readout shows ``note`` while the mouse is elsewhere."""
        kept = sorted(lines, key=lambda line: -_largest(line.y))[:MOST_LINES] if len(lines) > MOST_LINES else list(lines)
        self.lines = tuple(line for line in lines if line in kept)
        self._left_out = len(lines) - len(self.lines)
        self.xs, self.axes = axes.along(x), axes
        self._left.percent, self._bottom.log = axes.percent, axes.log
        self._bottom.whole = axes.counted
        if axes.counted and self.xs.size:
            self._bottom.ends = float(self.xs.min()), float(self.xs.max())
        while len(self._items) < len(self.lines):
            item = pg.PlotDataItem(connect="finite", autoDownsample=True, clipToView=True)
            self._items.append(item)
            self.plot.addItem(item)
        for place, item in enumerate(self._items):
            if place < len(self.lines):
                item.setData(self.xs, self.lines[place].y)
            item.setVisible(place < len(self.lines))
        self._mark.hide()
        self._cursor.hide()
        self._paint_lines()
        self._fit()
        more = f"{self._left_out} more lines are lower and left out. " if self._left_out else ""
        self._words = f"{more}{note}"
        self.readout.take_room_for(self._words)  # what the mouse reads must not move the plot under it
        self._read(None)

    def numbers(self) -> Table:
        """Return the x values in the axis's numbers, and the values of each line."""
        columns = [[self.axes.back(float(x)) for x in self.xs], *(line.y.tolist() for line in self.lines)]
        return [self.axes.x, *(line.name for line in self.lines)], list(zip(*columns, strict=True))

    def set_marker(self, x: float | None) -> None:
        """Mark the present value of x with a line; None removes it."""
        self._marker.setVisible(x is not None)
        if x is not None:
            self._marker.setValue(float(self.axes.along(np.asarray(x))))

    def set_mark(self, x: float | None) -> None:
        """Mark another value of x with a dashed line, such as the first flip; None removes it."""
        self._mark.setVisible(x is not None)
        if x is not None:
            self._mark.setValue(float(self.axes.along(np.asarray(x))))

    @property
    def marker(self) -> float | None:
        """The marker's x value, as passed to `set_marker`."""
        return self.axes.back(float(self._marker.value())) / self.axes.x_scale if self._marker.isVisible() else None

    def _fit(self) -> None:
        finite = np.concatenate([line.y[np.isfinite(line.y)] for line in self.lines]) if self.lines else np.zeros(0)
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if self.axes.percent:
            low, high = 0.0, 1.0
        elif high - low < 1e-12 * max(1.0, abs(high)):
            low, high = low - 0.5, high + 0.5
        last = float(self.xs.max()) if self.xs.size else 1.0
        first = float(self.xs.min()) if self.xs.size else 0.0
        pad = 0.04 * (high - low)
        self.plot.setXRange(first, last if last > first else first + 1, padding=0.01)
        self.plot.setYRange(low - pad, high + pad, padding=0)

    # ------------------------------------------------------------------ the mouse

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self._read(self._x_at(event.position()))  # type: ignore[attr-defined]
        elif event.type() == QEvent.Type.Leave:
            self._read(None)
        return False

    def _x_at(self, at: QPointF) -> float | None:
        box = self.plot.getPlotItem().vb
        scene = self.plot.mapToScene(at.toPoint())
        return float(box.mapSceneToView(scene).x()) if box.sceneBoundingRect().contains(scene) else None

    def _read(self, x: float | None) -> None:
        if x is None or not self.xs.size or not self.lines:
            self._cursor.hide()
            self.readout.set_text(self._words)
            return
        place = int(np.abs(self.xs - x).argmin())
        self._cursor.setValue(float(self.xs[place]))
        self._cursor.show()
        values = ", ".join(f"{line.name} {self.axes.y_text(float(line.y[place]))}" for line in self.lines)
        self.readout.set_text(f"{self.axes.x} {self.axes.x_text(self.axes.back(float(self.xs[place])))}: {values}")

    # ------------------------------------------------------------------ colours

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "key"):
            self._follow_palette()

    @Slot()
    def _follow_palette(self) -> None:
        palette = self.palette()
        self.plot.setBackground(palette.base().color())
        font = QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() * 0.9))
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(line_colour(palette))
            axis.setTextPen(muted_colour(palette))
            axis.setTickFont(font)
        for line, colour in (
            (self._marker, text_colour(palette)),
            (self._mark, muted_colour(palette)),
            (self._cursor, muted_colour(palette)),
        ):
            width, style = line.made
            line.setPen(pg.mkPen(colour, width=width, style=style))
        self._paint_lines()

    def _paint_lines(self) -> None:
        palette = self.palette()
        muted = muted_colour(palette).name()
        upright = self._upright_fits()
        for side, text in (("bottom", self.axes.x), ("left", self.axes.y if upright else "")):
            self.plot.setLabel(side, html.escape(text), color=muted)  # pyqtgraph interprets labels as markup
        words = []
        for place, (item, line) in enumerate(zip(self._items, self.lines, strict=False)):
            hidden = any(np.allclose(line.y, other.y, atol=1e-3, equal_nan=True) for other in self.lines[:place])
            dashed = line.dashed or hidden  # a line below it is visible between the dashes
            style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
            item.setPen(pg.mkPen(QColor(line.colour), width=2, style=style))
            few = len(self.xs) <= 2
            item.setSymbol("o" if few else None)
            item.setSymbolBrush(QColor(line.colour))
            item.setSymbolPen(None)
            ink = readable(line.colour, palette).name()
            sign = "┅" if dashed else "━"
            words.append(f'<span style="color:{ink}">{sign}&nbsp;{_kept_together(line.name)}</span>')
        self.key.setText(" &nbsp; ".join(words))
        self.key.setVisible(len(self.lines) > 1 or not upright)

    def _upright_fits(self) -> bool:
        """Return whether the name of the y axis fits beside it; else the key has it, if there is one line, which is named after it."""
        room = self.height() - 3 * self.fontMetrics().lineSpacing()
        named = len(self.lines) == 1 and self.lines[0].name == self.axes.y
        return not named or self.fontMetrics().horizontalAdvance(self.axes.y) <= room

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.lines:
            self._paint_lines()


def _largest(y: Values) -> float:
    finite = y[np.isfinite(y)]
    return float(finite.max()) if finite.size else -np.inf


def _kept_together(name: str) -> str:
    return html.escape(name).replace(" ", "&nbsp;")
