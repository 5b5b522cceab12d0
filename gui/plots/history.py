"""HistoryPlot: lines over epochs, each with abscissae of its own, on two axes, with markers that can be clicked."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.text.formatting import format_share as percent
from engine.text.formatting import short
from gui.plots.curves import CurveAxis
from gui.plots.menu import PlotMenu, Table
from gui.plots.thinned import drawn
from gui.theme import GRID, line_colour, muted_colour, number_font, readable, rich, text_colour
from gui.widgets.text import Sentence

_NONE = np.zeros(0)


@dataclass(frozen=True, eq=False)
class HistoryLine:
    """One line."""

    name: str
    x: Any
    y: Any
    colour: str
    dashed: bool = False
    right: bool = False
    """Whether it belongs to the right axis."""
    thin: bool = False
    key: str | None = None
    """Its text in the legend, where that is not its name; empty: it has no entry."""


@dataclass(frozen=True, eq=False)
class History:
    """The contents of a plot."""

    lines: Sequence[HistoryLine] = ()
    left: str = ""
    """The title of the left axis."""
    right: str = ""
    """The title of the right axis; empty: there is none."""
    share: bool = False
    """Whether the left axis is a share, shown in percent."""
    markers: Mapping[int, float] = field(default_factory=dict)
    """The epochs that can be clicked, with their height on the left axis."""
    last: float = 0.0
    """The number of epochs of the whole training, so that the axis stays while it runs; 0: as far as the lines reach."""
    note: str = ""
    """The readout while the mouse is elsewhere."""


class HistoryPlot(QWidget):
    """A plot with legend, readout and markers. Its items are updated in place."""

    picked = Signal(int)
    """A marker was clicked: the number of its epoch."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content = History()
        self.marked: int | None = None
        """The epoch whose marker stands out."""
        self.setAccessibleName(name)
        self._axes = {side: CurveAxis(side) for side in ("left", "right", "bottom")}
        for axis in self._axes.values():
            axis.enableAutoSIPrefix(False)
        self.plot = pg.PlotWidget(parent=self, axisItems={side: self._axes[side] for side in ("left", "bottom", "right")})
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setMinimumSize(120, 48)
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.viewport().installEventFilter(self)
        self.plot.viewport().setMouseTracking(True)
        self.plot.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the whole widget has one menu
        item = self.plot.getPlotItem()
        item.setContentsMargins(0, 4, GRID, 0)
        self._second = pg.ViewBox(enableMenu=False)
        self._second.setMouseEnabled(False, False)
        item.scene().addItem(self._second)
        self._axes["right"].linkToView(self._second)
        self._second.setXLink(item.vb)
        item.vb.sigResized.connect(self._follow_geometry)
        self._items: dict[bool, list[pg.PlotCurveItem]] = {False: [], True: []}
        self._seen: dict[bool, list[int]] = {False: [], True: []}
        """A hash of the points that each item shows."""
        self._ranges: tuple[Any, ...] = ()
        self._at: float | None = None
        """Where the mouse is, in epochs."""
        self._dots = pg.ScatterPlotItem(size=7, pen=None)
        """Stand for lines of a single point."""
        self.plot.addItem(self._dots)
        self.points = pg.ScatterPlotItem(size=10, hoverable=True, hoverSize=14, tip=None)
        self.points.setZValue(10)
        self.points.sigClicked.connect(self._on_clicked)
        self.plot.addItem(self.points)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.plot.addItem(self._cursor, ignoreBounds=True)
        self.key = rich(QLabel(self))
        self.key.setFont(number_font(self.font()))
        self.key.setWordWrap(True)
        self.key.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.readout = Sentence(3, muted=True)
        self.readout.setAccessibleName("Values under the mouse")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(2)
        layout.addWidget(self.key)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.readout)
        PlotMenu(self, self.numbers, name)
        self._follow_palette()

    # ------------------------------------------------------------------ contents

    def set_history(self, content: History, marked: int | None = None) -> None:
        """Show lines and markers; ``marked`` is the epoch that stands out."""
        before, self.content = self.content, content
        restyled = _style(before) != _style(content)
        for right in (False, True):
            self._set_lines(right, [line for line in content.lines if line.right == right])
        self._fit()
        if restyled:
            self._axes["left"].percent = content.share
            self._axes["right"].setVisible(bool(content.right))
            self._paint()
        if any(len(line.x) == 1 for line in (*before.lines, *content.lines)):
            single = [line for line in content.lines if len(line.x) == 1 and not line.right]
            self._dots.setData([{"pos": (line.x[0], line.y[0]), "brush": pg.mkBrush(line.colour)} for line in single])
        if restyled or marked != self.marked or dict(before.markers) != dict(content.markers):
            self.marked = marked
            self._paint_markers()
        self.readout.take_room_for(self._words(content.last or 10.0) if content.lines else content.note)  # nothing moves under the mouse
        self._read(self._at)

    def _set_lines(self, right: bool, lines: Sequence[HistoryLine]) -> None:
        items = self._items[right]
        while len(items) < len(lines):
            items.append(pg.PlotCurveItem(connect="finite"))
            self._seen[right].append(0)
            (self._second if right else self.plot).addItem(items[-1])
        for place, item in enumerate(items):
            item.setVisible(place < len(lines))
        for place, line in enumerate(lines):
            x, y = drawn(line.x, line.y)
            seen = hash((x.tobytes(), y.tobytes()))
            if seen != self._seen[right][place]:  # painting costs more than a look at the points
                self._seen[right][place] = seen
                items[place].setData(x, y)

    def numbers(self) -> Table:
        """Return every point of every line: its line, its epoch, its value."""
        rows = [(line.name, float(x), float(y)) for line in self.content.lines for x, y in zip(line.x, line.y, strict=True)]
        return ("line", "epoch", "value"), rows

    def _fit(self) -> None:
        """Set the ranges. They change seldom while a training runs, since axes cost more to paint than lines."""
        lines = self.content.lines
        last = max([self.content.last, 1.0, *(float(line.x[-1]) for line in lines if len(line.x))])
        left = (0.0, 1.0) if self.content.share else _range([line for line in lines if not line.right])
        ranges = last, left, _range([line for line in lines if line.right])
        if ranges == self._ranges:
            return
        self._ranges = ranges
        self.plot.setXRange(0.0, last, padding=0.02)
        for box, (low, high) in zip((self.plot, self._second), ranges[1:], strict=True):
            box.setYRange(low - 0.04 * (high - low), high + 0.04 * (high - low), padding=0)
        self._axes["bottom"].whole = last > 3
        self._axes["bottom"].ends = (0.0, float(int(last)))

    @Slot()
    def _follow_geometry(self) -> None:
        self._second.setGeometry(self.plot.getPlotItem().vb.sceneBoundingRect())

    # ------------------------------------------------------------------ the mouse

    def marker_at(self, epoch: int) -> QPointF:
        """Return where the marker of an epoch is, in the coordinates of the plot's viewport."""
        scene = self.plot.getPlotItem().vb.mapViewToScene(QPointF(epoch, self.content.markers[epoch]))
        return QPointF(self.plot.mapFromScene(scene))

    @Slot(object, object, object)
    def _on_clicked(self, _plot: Any, points: Any, _event: Any) -> None:
        if len(points):
            self.picked.emit(int(points[0].data()))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            box = self.plot.getPlotItem().vb
            scene = self.plot.mapToScene(event.position().toPoint())  # type: ignore[attr-defined]
            self._read(float(box.mapSceneToView(scene).x()) if box.sceneBoundingRect().contains(scene) else None)
        elif event.type() == QEvent.Type.Leave:
            self._read(None)
        return False

    def _read(self, x: float | None) -> None:
        self._at = x
        known = [line for line in self.content.lines if len(line.x)]
        if x is None or not known:
            self._cursor.hide()
            self.readout.set_text(self.content.note)
            return
        main = max(known, key=lambda line: len(line.x))
        at = float(main.x[int(np.abs(main.x - x).argmin())])
        self._cursor.setValue(at)
        self._cursor.show()
        self.readout.set_text(self._words(at))

    def _words(self, at: float) -> str:
        """Return the values of all lines at a number of epochs."""
        known = [line for line in self.content.lines if len(line.x) and not line.thin]
        return " · ".join((f"epoch {at:.3g}", *(f"{line.name} {self._value(line, at)}" for line in known)))

    def _value(self, line: HistoryLine, at: float) -> str:
        value = float(line.y[int(np.abs(line.x - at).argmin())])
        if not np.isfinite(value):
            return "–"
        return percent(value) if self.content.share and not line.right else short(value)

    # ------------------------------------------------------------------ colours

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "key"):
            self._follow_palette()

    def _follow_palette(self) -> None:
        palette = self.palette()
        self.plot.setBackground(palette.base().color())
        font = QFont(self.font())
        font.setPointSizeF(max(6.5, font.pointSizeF() * 0.9))
        for axis in self._axes.values():
            axis.setPen(line_colour(palette))
            axis.setTextPen(muted_colour(palette))
            axis.setTickFont(font)
        self._cursor.setPen(pg.mkPen(muted_colour(palette), width=1, style=Qt.PenStyle.DotLine))
        self._paint()

    def _paint(self) -> None:
        palette, content = self.palette(), self.content
        muted = muted_colour(palette).name()
        for side, text in (("left", content.left), ("bottom", "epoch"), ("right", content.right)):
            self._axes[side].setLabel(html.escape(text), color=muted)
        for right in (False, True):
            for item, line in zip(self._items[right], [line for line in content.lines if line.right == right], strict=False):
                style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
                item.setPen(pg.mkPen(QColor(line.colour), width=1 if line.thin else 2, style=style))
        self.key.setText(" &nbsp; ".join(self._entry(line) for line in content.lines if not line.thin and line.key != ""))
        self.key.setVisible(bool(content.lines))
        self._paint_markers()

    def _entry(self, line: HistoryLine) -> str:
        ink, sign = readable(line.colour, self.palette()).name(), "┅" if line.dashed else "━"
        text = html.escape(line.key or line.name).replace(" ", "&nbsp;")
        return f'<span style="color:{ink}">{sign}&nbsp;{text}</span>'

    def _paint_markers(self) -> None:
        palette = self.palette()
        ink, ground = text_colour(palette), palette.base().color()
        spots = [
            {
                "pos": (epoch, height),
                "data": epoch,
                "size": 14 if epoch == self.marked else 10,
                "brush": pg.mkBrush(ink if epoch == self.marked else ground),
                "pen": pg.mkPen(ink, width=1.5),
            }
            for epoch, height in self.content.markers.items()
            if np.isfinite(height)
        ]
        self.points.setData(spots)
        self.points.opts["hoverBrush"] = pg.mkBrush(muted_colour(palette))


def _style(content: History) -> Any:
    """Return what pens, axes and legend are made from."""
    lines = [(line.name, line.colour, line.dashed, line.right, line.thin, line.key) for line in content.lines]
    return lines, content.left, content.right, content.share


def _range(lines: Sequence[HistoryLine]) -> tuple[float, float]:
    """Return the least and the greatest value of lines; of thin ones, which scatter, the greatest are left out."""
    parts = [line.y[np.isfinite(line.y)] for line in lines]
    ends = [(float(y.min()), float(np.quantile(y, 0.99) if line.thin else y.max())) for line, y in zip(lines, parts, strict=True) if y.size]
    if not ends:
        return 0.0, 1.0
    low, high = min(0.0, *(low for low, _ in ends)), max(high for _, high in ends)
    return (low if low == 0.0 else -_round(-low)), _round(high) if high > low else low + 1.0


def _round(value: float) -> float:
    """Return the next greater number of 1, 1.5, 2, 3, 5 or 7 times a power of ten, so that a range that grows changes in steps."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next((factor * power for factor in (1, 1.5, 2, 3, 5, 7) if factor * power >= value), 10 * power)
