"""TrainingPlots: the loss and the accuracy of a training over its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from gui import theme
from gui.plots.curves import Axes, Curves, Line, Values

if TYPE_CHECKING:
    from gui.lanes.readings import TracePoint

_WIDE = 640
"""Width in pixels from which the plots stand side by side."""


class TrainingPlots(QWidget):
    """Two plots: each batch in a quiet colour, and the mean of an epoch's batches above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss, self.accuracy = Curves(self), Curves(self)
        self.loss.setAccessibleName("Loss of the training")
        self.accuracy.setAccessibleName("Accuracy of the training")
        self._shown: tuple[Sequence[TracePoint], int, int] = ((), 1, 1)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        for plot in (self.loss, self.accuracy):
            self._splitter.addWidget(plot)
        self._splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._splitter.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_shown"):
            self.show_trace(*self._shown)

    def show_trace(self, trace: Sequence[TracePoint], steps: int, epochs: int) -> None:
        """Show the readings of a training of ``steps`` steps in ``epochs`` epochs."""
        self._shown = (trace, steps, epochs)
        each = max(1.0, steps / max(1, epochs))
        index = np.array([point.index for point in trace], dtype=float)
        quiet = theme.muted_colour(self.palette()).name()
        for plot, name, colour, share in ((self.loss, "loss", theme.ADVERSARIAL, False), (self.accuracy, "accuracy", theme.CLEAN, True)):
            values = np.array([point.values.get(name, np.nan) for point in trace], dtype=float)
            lines = [Line("each batch", values, quiet), Line("mean of an epoch", running_mean(index, values, each), colour)]
            plot.set_lines((index + 1) / each, lines if len(trace) else (), Axes("epoch", name, percent=share, counted=False))


def running_mean(index: Values, values: Values, window: float) -> Values:
    """Return the mean of all values whose index lies at most ``window`` before each, the value itself included."""
    first = np.searchsorted(index, index - window, side="right")
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    last = np.arange(1, len(values) + 1)
    means: Values = (sums[last] - sums[first]) / np.maximum(1, last - first)
    return means
