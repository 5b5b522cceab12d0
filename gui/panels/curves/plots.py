"""TrainingPlots: what a training reaches over its epochs, and how its activations and bounds grow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from gui import theme
from gui.plots.curves import FURTHER
from gui.plots.history import History, HistoryLine, HistoryPlot
from gui.plots.thinned import running_mean

if TYPE_CHECKING:
    from gui.session.training.shown import Shown

_WIDE = 560
"""Width in pixels from which the plots stand side by side."""
_TRAINING = theme.COMPARED[0]
"""The colour of the accuracy on the training's own images, which are neither clean nor an attack's."""
MOST_SITES = 6
"""Sites that the second plot shows, those of the greatest activations, for each of two trainings half of them."""


class TrainingPlots(QWidget):
    """Two plots. The first one has a marker for each epoch whose network was kept."""

    picked = Signal(int)
    """The marker of an epoch was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measures, self.activations = HistoryPlot("Accuracy and loss", self), HistoryPlot("Activations and bounds", self)
        self.measures.picked.connect(self.picked)
        self._shown: tuple[Shown | None, Shown | None, int | None] = (None, None, None)
        self._activations: tuple[Any, ...] = ()
        """The training and the epoch that the second plot shows: it changes once in an epoch."""
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        for plot in (self.measures, self.activations):
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
            self.show_training(*self._shown)

    def show_training(self, shown: Shown | None, over: Shown | None = None, marked: int | None = None) -> None:
        """Show a training; ``over`` is laid over it with dashed lines."""
        self._shown = (shown, over, marked)
        if shown is None:
            self.measures.set_history(History())
            self.activations.set_history(History())
            self._activations = ()
            return
        quiet = theme.muted_colour(self.palette()).name()
        lines = [*measured(shown, quiet, "", dashed=False), *([] if over is None else laid_over(over, shown, quiet))]
        content = History(lines, "accuracy", "loss", share=True, markers=_markers(shown), last=shown.whole, note=_note(shown))
        self.measures.set_history(content, marked if marked in shown.files else None)
        before = self._activations
        self._activations = (shown.subject, len(shown.epochs), None if over is None else over.subject, self.palette().cacheKey())
        if self._activations == before:
            return  # they are measured at the end of an epoch
        grown = activations(shown, MOST_SITES if over is None else MOST_SITES // 2)
        if over is not None:
            grown += sites_laid_over(over, grown)
        note = "" if grown else "Measured at the end of each epoch."
        self.activations.set_history(History(grown, "largest activation", last=shown.whole, note=note))


def laid_over(over: Shown, shown: Shown, quiet: str) -> list[HistoryLine]:
    """Return the lines of a training that is laid over another one. The legend names it once, and its attack if that is another one."""
    lines = [replace(line, key="") for line in measured(over, quiet, f"{over.name}: ", dashed=True)]
    lines[:1] = [replace(line, key=_called(over)) for line in lines[:1]]
    if over.attack != shown.attack:  # accuracies under unequal budgets never stand beside each other unnamed
        lines = [replace(line, key=over.attack) if line.name.endswith(over.attack) else line for line in lines]
    return lines


def _called(shown: Shown) -> str:
    """Return a training's name with the number of its run, since two trainings may have one name."""
    return f"#{shown.subject} {shown.name}" if isinstance(shown.subject, int) else shown.name


def sites_laid_over(over: Shown, beside: list[HistoryLine]) -> list[HistoryLine]:
    """Return the activations of a training that is laid over another one, each in the colour of the same site there."""
    colours = {line.name: line.colour for line in beside if not line.dashed}
    lines = [
        HistoryLine(f"{over.name}: {site}", over.epochs, over.maxima[site], colours[site], dashed=True, key="")
        for site in over.maxima
        if site in colours
    ]
    lines[:1] = [replace(line, key=_called(over)) for line in lines[:1]]
    return lines


def measured(shown: Shown, quiet: str, prefix: str, *, dashed: bool) -> list[HistoryLine]:
    """Return loss and accuracies. Of a training that is laid over another one the single batches are left out."""
    lines: list[HistoryLine] = []
    batches = shown.batches
    if len(batches):
        if not dashed:
            lines += [HistoryLine("each batch", batches, shown.loss, quiet, right=True, thin=True)]
        lines += [HistoryLine(f"{prefix}loss", *_means(shown, "loss", shown.loss), quiet, dashed, right=True)]
        lines += [HistoryLine(f"{prefix}training", *_means(shown, "accuracy", shown.accuracy), _TRAINING, dashed)]
    else:
        lines += [HistoryLine(f"{prefix}loss", shown.epochs, _of(shown, "loss"), quiet, dashed, right=True)]
        lines += [HistoryLine(f"{prefix}training", shown.epochs, _of(shown, "accuracy"), _TRAINING, dashed)]
    for name, title, colour in (("clean", "held out, clean", theme.CLEAN), ("attacked", f"held out, {shown.attack}", theme.ADVERSARIAL)):
        if len(shown.epochs) and np.isfinite(_of(shown, name)).any():
            lines.append(HistoryLine(f"{prefix}{title}", shown.epochs, _of(shown, name), colour, dashed))
    return lines


def activations(shown: Shown, most: int) -> list[HistoryLine]:
    """Return the sites of the greatest activations, and the bounds of their rectifiers as dashed lines in the colour of the text."""
    largest = sorted(shown.maxima, key=lambda site: -float(np.nan_to_num(shown.maxima[site]).max(initial=0.0)))[:most]
    sites = [site for site in shown.maxima if site in largest]
    grown = [HistoryLine(site, shown.epochs, shown.maxima[site], FURTHER[place % len(FURTHER)]) for place, site in enumerate(sites)]
    ink = theme.text_colour(QApplication.palette()).name()
    modules = {site.partition("#")[0] for site in sites}
    bounded = [name for name in shown.bounds if name in modules]
    limits = [HistoryLine(f"bound of {name}", shown.epochs, shown.bounds[name], ink, dashed=True, key="") for name in bounded]
    limits[:1] = [replace(line, key="bounds") for line in limits[:1]]
    return [*grown, *limits]


def _means(shown: Shown, name: str, values: Any) -> tuple[Any, Any]:
    """Return the mean of an epoch's batches at every batch; for the epochs before a resumption, that of each epoch."""
    earlier = shown.epochs < shown.batches[0]
    x, means = running_mean(shown.batches, values, shown.each)
    return np.concatenate([shown.epochs[earlier], x]), np.concatenate([_of(shown, name)[earlier], means])


def _of(shown: Shown, name: str) -> Any:
    return shown.measures.get(name, np.full(len(shown.epochs), np.nan))


def _markers(shown: Shown) -> dict[int, float]:
    """Return the kept epochs, at their clean accuracy; where nothing was held out, at that of the training."""
    heights = dict(zip(map(int, shown.epochs), _of(shown, "clean"), strict=True))
    spare = dict(zip(map(int, shown.epochs), _of(shown, "accuracy"), strict=True))
    return {epoch: float(heights[epoch] if np.isfinite(heights[epoch]) else spare[epoch]) for epoch in shown.files if epoch in heights}


def _note(shown: Shown) -> str:
    return "Click an epoch’s marker to load its network." if _markers(shown) else ""
