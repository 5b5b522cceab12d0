"""Job: a run that a lane makes, step by step; and Outcome: how it ended. See `gui.lanes.engine_thread`."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gui.lanes.failures import Failure, failure_of
from gui.lanes.readings import Readings, TracePoint

numbers = itertools.count(1)
"""Number jobs and requests, all from one count."""
PREPARE_S = 0.03
"""Seconds of preparing at a time."""


class Pullable(Protocol):
    """What a job pulls: `engine.Run`, seen from here."""

    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def close(self) -> None: ...
    def result(self) -> Any: ...


@dataclass(eq=False)
class Job:
    """A run that somebody has asked for, and how far it is.

    The main thread asks (`want_preview`, `take_preview`, `request_pause`, `request_cancel`); the lane's thread does (`advance`, `end`).
    """

    key: str
    """Who asked: an earlier run of the same key is replaced."""
    make: Callable[[], Pullable]
    """Builds the run. Called in the thread."""
    look: Callable[[Any, Any], Any] | None = None
    """``look(run, step)`` makes a preview. Called in the thread when one is wanted."""
    finish: Callable[[Any], Any] | None = None
    """``finish(result)`` works out what is needed beside the result. Called in the thread before the result arrives."""
    prepare: Callable[[], Iterator[str]] | None = None
    """Does what takes long before ``make``, bit by bit, and yields what it is doing. Called in the thread."""
    collect: bool = False
    """Whether the readings of all steps are kept, for curves; else of the newest only."""
    context: Any = None
    """What whoever asked wants to find with the outcome."""
    number: int = field(default_factory=lambda: next(numbers))
    index: int = -1
    """The number of the newest step."""
    total: int | None = None
    share_done: float | None = None
    """How much of the whole is done, from 0 to 1, where that is known."""
    queries: int | None = None
    """Rows through the model so far, where the attacker sees no gradients and pays for them."""
    threads: int | None = None
    """How many CPU threads torch uses for it, from its first step to its last; None: nothing was measured when it began."""
    news: str = ""
    """What is being prepared or done."""
    _cancel: threading.Event = field(default_factory=threading.Event)
    _paused: threading.Event = field(default_factory=threading.Event)
    _wanted: threading.Event = field(default_factory=threading.Event)
    _preview: Any = None
    _look_at: float = 0.0
    """Not before this time: looks take at most a third of the run."""
    _readings: Readings | None = None
    _preparing: Iterator[str] | None = None
    _run: Any = None

    # ------------------------------------------------------------------ in any thread

    @property
    def paused(self) -> bool:
        """Whether it waits."""
        return self._paused.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

    @property
    def started(self) -> bool:
        """Whether its run was made, so that its first step is under way or done."""
        return self._run is not None

    @property
    def readings(self) -> Mapping[str, float]:
        """The readings of a step not long ago, such as a fooling rate."""
        return {} if self._readings is None else self._readings.newest

    @property
    def trace(self) -> tuple[TracePoint, ...]:
        """The readings of all steps so far, thinned evenly where they are many; empty unless ``collect``."""
        return () if self._readings is None else self._readings.trace

    def request_cancel(self) -> None:
        """Ask it to end at its next step. Whoever runs the lane wakes it: see `EngineThread.cancel`."""
        self._cancel.set()

    def request_pause(self, paused: bool) -> None:
        """Ask it to wait after its step, or to go on. See `EngineThread.pause`."""
        (self._paused.set if paused else self._paused.clear)()

    def want_preview(self) -> None:
        """Ask for one look at the next step."""
        self._wanted.set()

    def take_preview(self) -> Any:
        """Take the newest look, once; None while there is none."""
        preview, self._preview = self._preview, None
        return preview

    # ------------------------------------------------------------------ in the lane's thread

    def advance(self) -> Outcome | None:
        """Prepare for a moment, or make one step; return the outcome where that ended it. Raises nothing."""
        try:
            if self.cancelled:
                return self.end()
            if self._run is None:
                if not self._prepared():
                    return None
                self._run, self._readings = self.make(), Readings(collect=self.collect)
            step = next(self._run, None)
            if step is None:  # it is through
                return self.end()
            self._note(step)
        except BaseException as error:  # an attack may raise anything, StopIteration and SystemExit too
            return self._fail(error)
        return None

    def result(self) -> Any:
        """The best so far; None before the first step."""
        return self._run.result() if self._run is not None and self.index >= 0 else None

    def end(self, outcome: Outcome | None = None) -> Outcome:
        """Close the run and say how it ended; without an ``outcome`` it is finished, cancelled or out of budget, as its result says."""
        try:
            if self._readings is not None:
                self._readings.flush()
            if self._run is not None:
                self._run.close()
                self.queries = queries(self._run)
            outcome = outcome or outcome_of(self)
        except BaseException as error:
            outcome = outcome or Outcome(self, "failed", None, job_failure(self, error))
        self._run = self._preparing = None
        return outcome

    def drop(self) -> None:
        """Close the run and say nothing: the lane ends."""
        if self._run is not None:
            with contextlib.suppress(Exception):
                self._run.close()
        self._run = self._preparing = None

    def _prepared(self) -> bool:
        """Prepare for `PREPARE_S`; return whether that is done."""
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
        """Keep what a step tells, and look at it where a preview is wanted."""
        self.index, self.total = step.index, step.total
        self.news, self.share_done = getattr(step, "news", ""), getattr(step, "share_done", None)
        self.queries = queries(self._run)
        assert self._readings is not None
        self._readings.add(step)
        if self.look is not None and self._wanted.is_set() and time.perf_counter() >= self._look_at:
            began = time.perf_counter()
            self._wanted.clear()
            self._preview = self.look(self._run, step)
            self._look_at = 3 * time.perf_counter() - 2 * began  # two thirds of the time are the attack's

    def _fail(self, error: BaseException) -> Outcome:
        """End after an error, with the best so far, where a step had been made before."""
        failure = job_failure(self, error)
        result = None
        with contextlib.suppress(Exception):
            result = result_of(self)
        spent = str(getattr(self._run, "reason", "")) == "budget"  # before the first step
        return self.end(Outcome(self, "budget" if spent else "failed", result, failure))


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a job ended."""

    job: Job
    status: str
    """finished, cancelled, budget or failed."""
    result: Any = None
    """The best so far; None where no step was made."""
    failure: Failure | None = None
    """For failed, and for a budget that did not suffice for the first step."""


def result_of(job: Job) -> Any:
    """The best so far with what ``finish`` makes of it; None before the first step."""
    result = job.result()
    return job.finish(result) if result is not None and job.finish is not None else result


def queries(run: Any) -> int | None:
    """Of an attack that asks a black box."""
    view = getattr(getattr(run, "problem", None), "classifier", None)
    return None if view is None or getattr(view, "knows", "gradients") == "gradients" else int(view.forwards)


def outcome_of(job: Job) -> Outcome:
    """Of a job that has not failed."""
    result = result_of(job)
    if result is not None:
        return Outcome(job, str(result.reason), result)
    if job.cancelled:
        return Outcome(job, "cancelled")
    return Outcome(job, "failed", None, Failure(f"The {job.key} ended without a single step, so nothing came of it. Try other parameters."))


def job_failure(job: Job, error: BaseException) -> Failure:
    """The same for a job, with what is kept of it."""
    kept = "Its best so far is kept with the finished runs" if job.index >= 0 else "Nothing was changed"
    return failure_of(error, f"The {job.key}", f"{kept}. Try other parameters; the Log has the details.")
