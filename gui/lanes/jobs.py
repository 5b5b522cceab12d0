"""Job: a run that a lane carries out step by step; JobOutcome: how it ended. See `gui.lanes.engine_thread`."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gui.lanes.failures import Failure, failure_of
from gui.lanes.readings import Readings, Series, TracePoint

numbers = itertools.count(1)
"""One counter numbers jobs and requests."""
PREPARE_S = 0.03
"""Seconds of preparation in one turn of the lane."""


class Pullable(Protocol):
    """An iterator over steps with a result: the part of `engine.Run` that a job uses."""

    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def close(self) -> None: ...
    def result(self) -> Any: ...


@dataclass(eq=False)
class Job:
    """A run in a lane, and its progress.

    The main thread requests (`want_preview`, `take_preview`, `request_pause`, `request_cancel`); the lane's thread acts (`advance`, `end`).
    """

    key: str
    """The kind of run, such as ``attack``: a lane has one run of a key, and a new one replaces it."""
    make: Callable[[], Pullable]
    """Builds the run. Called in the lane's thread."""
    make_preview: Callable[[Any, Any], Any] | None = None
    """``make_preview(run, step)`` is called in the lane's thread when the window wants a preview."""
    finish: Callable[[Any], Any] | None = None
    """``finish(result)`` returns the result completed with values that the window shows. Called in the lane's thread at the end."""
    prepare: Callable[[], Iterator[str]] | None = None
    """A generator of the slow work before ``make``, such as loading data; it yields its progress in words. Called in the lane's thread."""
    collect: bool = False
    """Whether the readings of all steps are kept, for curves; else only the newest."""
    series: Series | None = None
    """Takes the readings of every step, without thinning; None: nothing does."""
    settle: Callable[[], None] | None = None
    """Copies what the run keeps on its device, such as a timeline, to where the window reads it. Called in the lane's thread in a pause."""
    context: Any = None
    """Any value that the caller wants to find in the outcome's job."""
    number: int = field(default_factory=lambda: next(numbers))
    index: int = -1
    """The number of the newest step."""
    total: int | None = None
    share_done: float | None = None
    """The share of the run that is done, in [0, 1]; None where it is unknown."""
    queries: int | None = None
    """Queries to the model so far, of an attack without gradients; None for other operations."""
    threads: int | None = None
    """CPU threads that torch uses for the run, fixed at its first step; None if the count was not measured by then."""
    news: str = ""
    """The stage of the run in words, such as “loading GTSRB, 100 of 2,000”."""
    _cancel: threading.Event = field(default_factory=threading.Event)
    _paused: threading.Event = field(default_factory=threading.Event)
    _wanted: threading.Event = field(default_factory=threading.Event)
    _preview: Any = None
    _preview_from: float = 0.0
    """The next preview is made at this time at the earliest, so that previews take at most a third of the run."""
    _unseen: Any = None
    """The newest step, while no preview of it was made; None else, and without ``make_preview``."""
    _settled: bool = True
    """Whether ``settle`` was called since the newest step."""
    _readings: Readings | None = None
    _losses: Readings | None = None
    _preparing: Iterator[str] | None = None
    _run: Any = None

    # ------------------------------------------------------------------ in any thread

    @property
    def paused(self) -> bool:
        """Whether the run is paused."""
        return self._paused.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled; it may still be making its last step."""
        return self._cancel.is_set()

    @property
    def started(self) -> bool:
        """Whether the run was built, so that its first step is in progress or done."""
        return self._run is not None

    @property
    def readings(self) -> Mapping[str, float]:
        """The newest readings that were transferred from the device, such as a fooling rate."""
        return {} if self._readings is None else self._readings.newest

    @property
    def trace(self) -> tuple[TracePoint, ...]:
        """The readings of all steps so far, thinned evenly beyond `MOST_POINTS`; empty without ``collect``."""
        return () if self._readings is None else self._readings.trace

    @property
    def losses(self) -> tuple[TracePoint, ...]:
        """The loss of the first image at all steps of an attack so far, thinned evenly like ``trace``; empty without ``collect``."""
        return () if self._losses is None else self._losses.trace

    @property
    def is_behind(self) -> bool:
        """Whether the run is paused after a step that the window does not show whole yet, since it asked for its preview before."""
        return self.paused and (not self._settled or (self._unseen is not None and self._wanted.is_set()))

    def request_cancel(self) -> None:
        """Request the end of the run at its next step. Call `EngineThread.cancel`, which also wakes the lane."""
        self._cancel.set()

    def request_pause(self, paused: bool) -> None:
        """Request a pause after the current step, or the end of the pause. Call `EngineThread.pause`, which also wakes the lane."""
        (self._paused.set if paused else self._paused.clear)()

    def want_preview(self) -> None:
        """Request one preview, of the next step or, of a paused run, of its last. Call `EngineThread.want_preview` for a paused one."""
        self._wanted.set()

    def take_preview(self) -> Any:
        """Remove and return the newest preview; None if there is none."""
        preview, self._preview = self._preview, None
        return preview

    # ------------------------------------------------------------------ in the lane's thread

    def advance(self) -> JobOutcome | None:
        """Prepare for `PREPARE_S` or make one step; return the outcome if the run has ended. Raises nothing.

        A paused run makes no step: it settles, and gives the preview of its last one.
        """
        try:
            if self.cancelled:
                return self.end()
            if self.paused:
                self._catch_up()
                return None
            if self._run is None:
                if not self._prepared():
                    return None
                self._run, self._readings = self.make(), Readings(collect=self.collect)
                self._readings.series = self.series
                self._losses = Readings(collect=True) if self.collect else None
            step = next(self._run, None)
            if step is None:  # the run is exhausted
                return self.end()
            self._note(step)
        except BaseException as error:  # an operation may raise anything, including StopIteration and SystemExit
            return self._fail(error)
        return None

    def result(self) -> Any:
        """Return the best result so far; None before the first step."""
        return self._run.result() if self._run is not None and self.index >= 0 else None

    def end(self, outcome: JobOutcome | None = None) -> JobOutcome:
        """Close the run and return its outcome: the given one, or else finished, cancelled or out of budget, after the result's reason."""
        try:
            if self._readings is not None:
                self._readings.flush()
            if self._losses is not None:
                self._losses.flush()
            if self._run is not None:
                self._run.close()
                self.queries = queries(self._run)
            outcome = outcome or ended_outcome(self)
        except BaseException as error:
            outcome = outcome or JobOutcome(self, "failed", None, job_failure(self, error))
        self._run = self._preparing = self._unseen = None
        return outcome

    def _prepared(self) -> bool:
        """Prepare for `PREPARE_S`; return whether the preparation is complete."""
        if self._preparing is None:
            self._preparing = iter(()) if self.prepare is None else self.prepare()
        end = time.perf_counter() + PREPARE_S
        for news in self._preparing:
            self.news = news
            if time.perf_counter() >= end:
                return False
        self.news = ""
        return True

    def _note(self, step: Any) -> None:
        """Keep a step's progress and readings, and make a preview if one is wanted."""
        self.index, self.total = step.index, step.total
        self.news, self.share_done = getattr(step, "news", ""), getattr(step, "share_done", None)
        self.queries = queries(self._run)
        assert self._readings is not None
        self._readings.add(step)
        if self._losses is not None and hasattr(step, "adversarial"):
            self._losses.note(step.index, {"loss": step.loss[0]})
        self._unseen = None if self.make_preview is None else step
        self._settled = self.settle is None
        if self._wanted.is_set() and time.perf_counter() >= self._preview_from:
            self._show(step)

    def _catch_up(self) -> None:
        """Let the window see the last step of a paused run, and all that the run keeps."""
        if not self._settled and self.settle is not None:
            self._settled = True
            self.settle()
        if self._unseen is not None and self._wanted.is_set():
            self._show(self._unseen)

    def _show(self, step: Any) -> None:
        """Make the preview of a step."""
        if self.make_preview is not None:
            began = time.perf_counter()
            self._unseen = None
            self._wanted.clear()
            self._preview = self.make_preview(self._run, step)
            self._preview_from = 3 * time.perf_counter() - 2 * began  # two thirds of the time are the attack's

    def _fail(self, error: BaseException) -> JobOutcome:
        """End after an error; the outcome holds the best result so far, if there was a step before."""
        failure = job_failure(self, error)
        result = None
        with contextlib.suppress(Exception):
            result = result_of(self)
        spent = str(getattr(self._run, "reason", "")) == "budget"  # before the first step
        return self.end(JobOutcome(self, "budget" if spent else "failed", result, failure))


@dataclass(frozen=True, eq=False)
class JobOutcome:
    """How a job ended."""

    job: Job
    status: str
    """finished, cancelled, budget or failed."""
    result: Any = None
    """The best result so far; None if no step was made."""
    failure: Failure | None = None
    """Set if the job failed, or if its budget did not suffice for the first step."""


def result_of(job: Job) -> Any:
    """Return the best result so far, completed by ``finish``; None before the first step."""
    result = job.result()
    return job.finish(result) if result is not None and job.finish is not None else result


def queries(run: Any) -> int | None:
    """Return the number of queries of an attack without gradients; None for any other run."""
    view = getattr(getattr(run, "problem", None), "classifier", None)
    return None if view is None or getattr(view, "knows", "gradients") == "gradients" else int(view.forwards)


def ended_outcome(job: Job) -> JobOutcome:
    """Return the outcome of a job that has not failed."""
    result = result_of(job)
    if result is not None:
        return JobOutcome(job, str(result.reason), result)
    if job.cancelled:
        return JobOutcome(job, "cancelled")
    return JobOutcome(
        job, "failed", None, Failure(f"The {job.key} ended without a single step, so nothing came of it. Try other parameters.")
    )


def job_failure(job: Job, error: BaseException) -> Failure:
    """Turn an exception in a job into a `Failure`, whose sentence says whether a result was kept."""
    kept = "Its best so far is kept with the finished runs" if job.index >= 0 else "Nothing was changed"
    return failure_of(error, f"The {job.key}", f"{kept}. Try other parameters; the messages have the details.")
