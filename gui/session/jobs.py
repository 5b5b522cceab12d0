"""Jobs: the long work of the background lane (training, tables, experiments), so that the status bar can show and cancel it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, Signal

from gui.lanes.progress_text import ShareMeter, share_of

if TYPE_CHECKING:
    from gui.lanes.runner import OperationRunner


@dataclass(eq=False)
class Work:
    """The runs of one panel, of which at most one is in progress at a time."""

    runner: OperationRunner
    panel: str
    """The name of the dock that shows the work, as in the table of docks."""
    name: Callable[[], str]
    """Returns the title of the run in progress, such as “Train signs”."""
    _meter: ShareMeter = field(default_factory=ShareMeter)

    @property
    def running(self) -> bool:
        """Whether a run is in progress, paused or not."""
        return self.runner.running

    @property
    def title(self) -> str:
        """The title of the run in progress."""
        return self.name()

    @property
    def share(self) -> float | None:
        """The share of the run that is done, in [0, 1]; None where it is unknown."""
        return None if self.runner.job is None else share_of(self.runner.job)

    @property
    def progress(self) -> str:
        """The stage, the share that is done and the remaining time in words, such as ``epoch 4 of 20 · 18 % · 3 min 20 s left``."""
        return "" if self.runner.job is None else self._meter.words(self.runner.job)

    @property
    def paused(self) -> bool:
        """Whether the run is paused."""
        return self.runner.job is not None and self.runner.job.paused

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled; it may still be making its last step."""
        return self.runner.job is not None and self.runner.job.cancelled

    def pause(self, paused: bool) -> None:
        """Pause the run between two steps, or resume it."""
        self.runner.pause(paused)

    def cancel(self) -> None:
        """End the run at its next step, with what it has so far."""
        self.runner.cancel()


class Jobs(QObject):
    """The registry of long work. The session owns the only instance; each panel of long work adds its runner with `watch`."""

    changed = Signal()
    """A run began, was paused, resumed or cancelled, or ended: read ``running``."""
    progressed = Signal()
    """A run has made progress. Emitted at the rate of the panels' timers, some ten times a second."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._works: list[Work] = []

    def watch(self, runner: OperationRunner, panel: str, name: Callable[[], str]) -> Work:
        """Add the runner of a panel; ``name()`` returns the title of its run in progress."""
        work = Work(runner, panel, name)
        self._works.append(work)
        runner.changed.connect(self.changed)
        runner.progressed.connect(self.progressed)
        return work

    @property
    def runners(self) -> tuple[OperationRunner, ...]:
        """The runners of all panels."""
        return tuple(work.runner for work in self._works)

    @property
    def running(self) -> tuple[Work, ...]:
        """The work in progress, paused or not, in the order in which the panels were made."""
        return tuple(work for work in self._alive if work.running)

    @property
    def _alive(self) -> list[Work]:
        """The work of panels that still exist: a panel's runner goes with the panel."""
        self._works = [work for work in self._works if shiboken6.isValid(work.runner)]
        return self._works

    def cancel_all(self) -> None:
        """End all work in progress."""
        for work in self.running:
            work.cancel()

    def stop(self) -> None:
        """Stop the timers of all work, since the window closes."""
        for work in self._alive:
            work.runner.stop()
