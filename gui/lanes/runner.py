"""OperationRunner: runs one operation at a time in a lane and reports its progress. Attacks and experiments have one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal, Slot

from gui.lanes.engine_thread import EngineThread
from gui.lanes.jobs import Job, JobOutcome, Pullable
from gui.lanes.readings import Series

PREVIEW_MS = 33


def deliver_endings(*runners: OperationRunner) -> None:
    """Deliver the outcomes of runs that ended with their lanes, when no event loop will deliver them any more."""
    for runner in runners:
        QCoreApplication.sendPostedEvents(runner, QEvent.Type.MetaCall.value)


class OperationRunner(QObject):
    """Starts, watches, pauses and cancels one run at a time.

        start() --> progressed, previewed ... --> ended(JobOutcome)
        changed: the run began, was paused, resumed or cancelled, or ended

    A timer requests previews; only the newest is kept. With ``collect`` the readings of all steps are kept for curves, in ``job.trace``.
    """

    changed = Signal()
    """A run began, was paused, resumed or cancelled, or ended. Not emitted for its steps."""
    progressed = Signal()
    """The timer has ticked during a run: read the progress from ``job``."""
    previewed = Signal()
    """``preview`` is new."""
    ended = Signal(object)
    """A run has ended: its `JobOutcome`. For an abandoned run this comes late, when ``job`` may already be another run."""

    def __init__(
        self,
        lane: EngineThread,
        key: str,
        parent: QObject | None = None,
        *,
        every_ms: int = PREVIEW_MS,
        patience_ms: int | None = None,
        previews: Callable[[], bool] = lambda: True,
    ) -> None:
        """Watch the runs of one ``key`` in a lane, where a new run replaces the earlier one.

        Parameters
        ----------
        every_ms
            Milliseconds between two emissions of `progressed`, each of which requests a preview.
        patience_ms
            Milliseconds after which a cancelled run is abandoned if its step still lasts: ``job`` is None, and `ended` comes later. None
            waits for the step.
        previews
            Returns whether previews are wanted at the moment: a run is faster without.
        """
        super().__init__(parent)
        self._lane, self._key, self._patience_ms, self._previews = lane, key, patience_ms, previews
        self.job: Job | None = None
        """The run in progress, paused or not; None if there is none."""
        self.abandoned: list[Job] = []
        """Abandoned runs: cancelled, but their last step still lasts."""
        self.ending: JobOutcome | None = None
        """The outcome of the newest run; None while one is in progress, and before the first."""
        self.preview: Any = None
        """The newest preview of the run."""
        self._timer = QTimer(self)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._on_tick)
        lane.done.connect(self._on_done)

    @property
    def running(self) -> bool:
        """Whether a run is in progress, paused or not."""
        return self.job is not None

    def start(
        self,
        make: Callable[[], Pullable],
        *,
        make_preview: Callable[[Any, Any], Any] | None = None,
        finish: Callable[[Any], Any] | None = None,
        prepare: Callable[[], Iterator[str]] | None = None,
        collect: bool = False,
        series: Series | None = None,
        settle: Callable[[], None] | None = None,
        context: Any = None,
    ) -> Job:
        """Begin a run. An earlier one is cancelled, without an `ended` of its own. The parameters are those of `Job`."""
        job = Job(self._key, make, make_preview, finish, prepare, collect, series, settle, context)
        self.job, self.ending, self.preview = job, None, None
        if self._previews():
            job.want_preview()
        self._lane.submit(job)
        self._timer.start()
        self.changed.emit()
        return job

    def pause(self, paused: bool) -> None:
        """Pause the run between two steps, or resume it."""
        if self.job is not None and self.job.paused != paused:
            self._lane.pause(self.job, paused)
            self.changed.emit()

    def cancel(self) -> None:
        """End the run at its next step; `ended` then carries its best result so far."""
        job = self.job
        if job is not None and not job.cancelled:
            self._lane.cancel(job)
            self.changed.emit()
            if self._patience_ms is not None:
                QTimer.singleShot(self._patience_ms, self, lambda: self._abandon(job))

    def stop(self) -> None:
        """Stop the timer, since the window closes."""
        self._timer.stop()

    def _abandon(self, job: Job) -> None:
        if job is self.job:
            self.abandoned.append(job)
            self._settle(JobOutcome(job, "cancelled"))
            self.changed.emit()

    def _settle(self, outcome: JobOutcome) -> None:
        self.job, self.ending = None, outcome
        self._timer.stop()

    @Slot()
    def _on_tick(self) -> None:
        job = self.job
        if job is None:
            self._timer.stop()
            return
        preview = job.take_preview()
        if preview is not None:
            self.preview = preview
            self.previewed.emit()
        if self._previews():
            self._lane.want_preview(job)
        self.progressed.emit()

    @Slot(object)
    def _on_done(self, outcome: JobOutcome) -> None:
        job = outcome.job
        if job in self.abandoned:
            self.abandoned.remove(job)
            if self.job is None and self.ending is not None and self.ending.job is job:
                self.ending = outcome
        elif job is self.job:
            self._settle(outcome)
        else:
            return  # another runner's, or replaced by a newer run
        self.ended.emit(outcome)
        self.changed.emit()
