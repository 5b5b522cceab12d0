"""OperationRunner: one operation under way in a lane, watched from the window. Attacks, experiments and trainings have one each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.lanes.engine_thread import EngineThread
from gui.lanes.jobs import Job, Outcome, Pullable

PREVIEW_MS = 33


class OperationRunner(QObject):
    """Starts, watches, pauses and cancels one run at a time.

        start() --> progressed, previewed ... --> ended(Outcome)
        changed: it began, was paused or let go on, was asked to end, or ended

    A timer asks for previews; only the newest is there to be seen. The readings of all steps can be collected for curves: ``job.trace``.
    """

    changed = Signal()
    """A run began, went on, paused, was asked to end, or ended. Not emitted for its steps."""
    progressed = Signal()
    """Some time has passed: ``job`` says how far the run is."""
    previewed = Signal()
    """``preview`` is new."""
    ended = Signal(object)
    """An `Outcome`, also of a run that was left before: then ``job`` may be another one by now."""

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
        """Run in ``lane``, where of one ``key`` a new run replaces the earlier one.

        Parameters
        ----------
        every_ms
            How often `progressed` is emitted and a preview is asked for.
        patience_ms
            After this time a cancelled run whose step still lasts is left: the window is free, and the outcome arrives later. None: it is
            waited for.
        previews
            Whether previews are wanted at this moment: a run is faster without.
        """
        super().__init__(parent)
        self._lane, self._key, self._patience_ms, self._previews = lane, key, patience_ms, previews
        self.job: Job | None = None
        """The run under way, paused or not."""
        self.leaving: list[Job] = []
        """Cancelled runs whose last step is still being made, and which nobody waits for."""
        self.ending: Outcome | None = None
        """How the newest run ended; None while one is under way, and before the first."""
        self.preview: Any = None
        """The newest look at the run."""
        self._timer = QTimer(self)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._on_tick)
        lane.done.connect(self._on_done)

    @property
    def running(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self.job is not None

    def start(
        self,
        make: Callable[[], Pullable],
        *,
        look: Callable[[Any, Any], Any] | None = None,
        finish: Callable[[Any], Any] | None = None,
        prepare: Callable[[], Iterator[str]] | None = None,
        collect: bool = False,
        context: Any = None,
    ) -> Job:
        """Begin a run; an earlier one is cancelled, and nothing more is heard of it. The parameters are those of `Job`."""
        job = Job(self._key, make, look, finish, prepare, collect, context)
        self.job, self.ending, self.preview = job, None, None
        if self._previews():
            job.want_preview()
        self._lane.submit(job)
        self._timer.start()
        self.changed.emit()
        return job

    def pause(self, paused: bool) -> None:
        """Hold the run between two steps, or let it go on."""
        if self.job is not None and self.job.paused != paused:
            self._lane.pause(self.job, paused)
            self.changed.emit()

    def cancel(self) -> None:
        """End the run at its next step; its best so far arrives with `ended`."""
        job = self.job
        if job is not None and not job.cancelled:
            self._lane.cancel(job)
            self.changed.emit()
            if self._patience_ms is not None:
                QTimer.singleShot(self._patience_ms, self, lambda: self._leave(job))

    def stop(self) -> None:
        """Ask for no more previews: the window closes."""
        self._timer.stop()

    def _leave(self, job: Job) -> None:
        if job is self.job:
            self.leaving.append(job)
            self._settle(Outcome(job, "cancelled"))
            self.changed.emit()

    def _settle(self, outcome: Outcome) -> None:
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
            job.want_preview()
        self.progressed.emit()

    @Slot(object)
    def _on_done(self, outcome: Outcome) -> None:
        job = outcome.job
        if job in self.leaving:
            self.leaving.remove(job)
            if self.job is None and self.ending is not None and self.ending.job is job:
                self.ending = outcome
        elif job is self.job:
            self._settle(outcome)
        else:
            return  # another runner's, or replaced by a newer run
        self.ended.emit(outcome)
        self.changed.emit()
