"""Timing: measures in the background lane how long a training would take, from a few steps on a copy of its network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.training.making import Loaded, Making

if TYPE_CHECKING:
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import JobOutcome
    from gui.session.training.recipe import Recipe


class Timing(QObject):
    """Measures one recipe at a time."""

    changed = Signal()
    """A measurement began, made progress, or ended: read ``words``."""

    def __init__(self, lane: EngineThread, loaded: Loaded, parent: QObject) -> None:
        super().__init__(parent)
        self._loaded = loaded
        self._recipe: Recipe | None = None
        self.words = ""
        """The estimate in words, or why there is none; empty before the first and for another recipe."""
        self.failed = False
        self.runner = OperationRunner(lane, "timing", self, every_ms=100)
        self.runner.progressed.connect(self.changed)
        self.runner.changed.connect(self.changed)
        self.runner.ended.connect(self._on_ended)
        self.cancel = self.runner.cancel

    @property
    def running(self) -> bool:
        """Whether a measurement is in progress."""
        return self.runner.running

    def start(self, recipe: Recipe) -> None:
        """Measure how long a training would take."""
        self._recipe, self.words, self.failed = recipe, "", False
        making = Making(recipe, self._loaded)
        self.runner.start(lambda: _Once(making), prepare=making.estimating, context=making)

    def forget(self) -> None:
        """Drop the estimate, since the recipe has changed."""
        if self.words or self.running:
            self.words, self.failed = "", False
            self.runner.cancel()
            self.changed.emit()

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        making: Making = outcome.job.context
        if outcome.failure is not None:
            self.words, self.failed = outcome.failure.sentence, True
        elif outcome.status == "finished" and making.estimate is not None:
            self.words, self.failed = f"It would take {making.estimate.words}.", False
        self.changed.emit()


class _Step:
    index, total = 0, 0


class _Once:
    """A run of a single step, since all the work is in the preparation."""

    def __init__(self, making: Making) -> None:
        self._making, self._done = making, False
        self.reason = "finished"

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._done:
            raise StopIteration
        self._done = True
        return _Step()

    def close(self) -> None:
        """Do nothing: there is nothing to end."""

    def result(self) -> Any:
        """Return itself: the estimate is read from the making."""
        return self
