"""Jobs: the values that a lane of engine work takes and gives, and how one ended in words. See `gui.lanes.engine_thread`."""

from __future__ import annotations

import itertools
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

numbers = itertools.count(1)
"""Number jobs and requests, all from one count."""
READ_S = 0.1
"""Seconds between two readings of a run."""
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
    """A run that a panel has asked for."""

    key: str
    """The panel; its earlier run is replaced."""
    make: Callable[[], Pullable]
    """Called in the thread: builds the run."""
    look: Callable[[Any, Any], Any] | None = None
    """``look(run, step)``, called in the thread when a preview is wanted."""
    finish: Callable[[Any], Any] | None = None
    """``finish(result)``, called in the thread: what is to be worked out before the result arrives."""
    prepare: Callable[[], Iterator[str]] | None = None
    """Called in the thread and pulled before ``make``: what takes long, bit by bit, each saying what is being done."""
    number: int = field(default_factory=lambda: next(numbers))
    index: int = -1
    """Of the newest step."""
    total: int | None = None
    queries: int | None = None
    """Rows through the model so far, where the attacker sees no gradients and they are what it pays with."""
    threads: int | None = None
    """How many CPU threads torch uses for it, from its first step to its last; None: nothing was measured when it began."""
    news: str = ""
    """What is being prepared."""
    readings: Mapping[str, float] = field(default_factory=dict)
    """Of a step not long ago: a fooling rate, say."""
    _cancel: threading.Event = field(default_factory=threading.Event)
    _paused: threading.Event = field(default_factory=threading.Event)
    _wanted: threading.Event = field(default_factory=threading.Event)
    _preview: Any = None
    _look_at: float = 0.0
    """Not before this time: looks take at most a third of the run."""
    _unread: Mapping[str, Any] = field(default_factory=dict)
    _read_at: float = 0.0
    """Not before this time: reading waits for the device."""
    _preparing: Iterator[str] | None = None
    _run: Any = None

    @property
    def paused(self) -> bool:
        """Whether it waits."""
        return self._paused.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

    def prepared(self) -> bool:
        """Prepare for `PREPARE_S`; whether that is done. Called in the thread."""
        if self._preparing is None:
            self._preparing = iter(()) if self.prepare is None else self.prepare()
        end = time.perf_counter() + PREPARE_S
        for news in self._preparing:
            self.news = news
            if time.perf_counter() >= end:
                return False
        self.news = ""
        return True

    def result(self) -> Any:
        """The best so far, None before the first step. Called in the thread."""
        return self._run.result() if self._run is not None and self.index >= 0 else None

    def read(self, step: Any) -> None:
        """Take the step's readings over, ten times a second at most. Called in the thread."""
        self._unread = getattr(step, "readings", {})
        if self._unread and time.perf_counter() >= self._read_at:
            self.read_rest()
            self._read_at = time.perf_counter() + READ_S

    def read_rest(self) -> None:
        """What the newest step had to be read. Called in the thread."""
        if self._unread:
            self.readings = {name: float(value) for name, value in self._unread.items()}
            self._unread = {}

    def want_preview(self) -> None:
        """Ask for one look at the next step."""
        self._wanted.set()

    def take_preview(self) -> Any:
        """The newest look, once; None while there is none."""
        preview, self._preview = self._preview, None
        return preview


@dataclass(frozen=True)
class Failure:
    """Why something came to nothing."""

    sentence: str
    details: str = ""
    """The traceback."""
    expected: bool = False
    """Whether a person can cause it (a `GibbonError`): then the sentence says everything."""


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


@dataclass(frozen=True, eq=False)
class Response:
    """The value of a request, or why there is none."""

    key: str
    number: int
    """The number of the request: a response older than the newest request may be dropped."""
    value: Any = None
    failure: Failure | None = None


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


def failure_of(error: BaseException, what: str, cure: str) -> Failure:
    """An error in words; the frames are cleared, since a kept one keeps its tensors."""
    from engine.errors import GibbonError, in_words

    details = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    return Failure(in_words(error, what, cure), details, isinstance(error, GibbonError))


def job_failure(job: Job, error: BaseException) -> Failure:
    """The same for a job, with what is kept of it."""
    kept = "Its best so far is kept with the finished runs" if job.index >= 0 else "Nothing was changed"
    return failure_of(error, f"The {job.key}", f"{kept}. Try other parameters; the Log has the details.")
