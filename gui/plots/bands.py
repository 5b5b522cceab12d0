"""BandedCurves: curves with an interval around each, and a mark on each at a value of x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from gui.plots.curves import MOST_LINES, Axes, Curves, Line, Values

_OPACITY = 48
"""Opacity of a band, from 0 to 255: bands of several lines stay visible through each other."""


@dataclass(frozen=True, eq=False)
class BandedLine:
    """A line with its interval."""

    line: Line
    low: Values
    high: Values
    mark: float | None = None
    """The x value at which the line is marked; None: nowhere."""


class BandedCurves(Curves):
    """Curves whose intervals are bands. The readout states the interval, too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bands: tuple[BandedLine, ...] = ()
        self._areas: list[tuple[pg.PlotCurveItem, pg.PlotCurveItem, pg.FillBetweenItem]] = []
        self.marks = pg.ScatterPlotItem(size=11, pxMode=True)
        self.marks.setZValue(10)
        self.plot.addItem(self.marks, ignoreBounds=True)

    def set_bands(self, x: Values, bands: Sequence[BandedLine], axes: Axes, note: str = "") -> None:
        """Show lines over ``x`` with their intervals."""
        self.bands = tuple(bands)[:MOST_LINES]
        left_out = len(bands) - len(self.bands)
        more = f"{left_out} further models are left out of the plot. " if left_out else ""
        self.set_lines(x, [band.line for band in self.bands], axes, f"{more}{note}")
        while len(self._areas) < len(self.bands):
            self._areas.append(self._new_area())
        for place, (low, high, area) in enumerate(self._areas):
            shown = place < len(self.bands)
            area.setVisible(shown)
            if shown:
                low.setData(self.xs, self.bands[place].low)
                high.setData(self.xs, self.bands[place].high)
        self._paint_bands()

    def _new_area(self) -> tuple[pg.PlotCurveItem, pg.PlotCurveItem, pg.FillBetweenItem]:
        low, high = pg.PlotCurveItem(pen=None), pg.PlotCurveItem(pen=None)
        area = pg.FillBetweenItem(low, high)
        area.setZValue(-10)
        self.plot.addItem(area, ignoreBounds=True)
        return low, high, area

    def _paint_bands(self) -> None:
        spots = []
        for band, (_, _, area) in zip(self.bands, self._areas, strict=False):
            colour = QColor(band.line.colour)
            colour.setAlpha(_OPACITY)
            area.setBrush(colour)
            if band.mark is not None and len(self.xs):
                at = float(self.axes.along(np.asarray(band.mark)))
                height = float(np.interp(at, self.xs, band.line.y))
                outline = pg.mkPen(self.palette().text().color(), width=1)
                spots.append({"pos": (at, height), "brush": QColor(band.line.colour), "pen": outline, "symbol": "d"})
        self.marks.setData(spots)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "marks"):
            self._paint_bands()

    def _read(self, x: float | None) -> None:
        super()._read(x)
        if x is None or not self.xs.size or not self.bands:
            return
        place = int(np.abs(self.xs - x).argmin())
        said = (
            f"{band.line.name} {self.axes.y_text(float(band.line.y[place]))} "
            f"({self.axes.y_text(float(band.low[place]))} to {self.axes.y_text(float(band.high[place]))})"
            for band in self.bands
        )
        self.readout.set_text(f"{self.axes.x} {self.axes.x_text(self.axes.back(float(self.xs[place])))}: {', '.join(said)}")
