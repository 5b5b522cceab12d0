"""EngineThread: one lane of engine work. It takes runs (long) and questions (short), which are served between two steps of a run.

    submit(Job) --> step, step, step ... --> done(Outcome): finished, cancelled, budget or failed
                       ^ between two steps: the newest question of each key --> answered(key)

Nothing here imports torch: a job's functions do, in the thread. No array travels in a signal: previews and answers lie in boxes, and
whoever wants them takes them. The worker never waits for the window.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

_numbers = itertools.count(1)
GIVE_WAY_S = 0.5
"""How long a lane waits at each of its steps while the one in front of it works."""
READ_S = 0.1
"""Seconds between two readings of a run."""
_ASKED = {
    "start-up": "Loading the engine",
    "model": "Loading the model",
    "threads": "Measuring the model's speed",
    "frame": "Showing the image to the model",
    "open": "Opening the image",
    "data": "Opening the data set",
    "start image": "Opening the start image",
    "moved": "Moving eps",
    "moved.kept": "Keeping the run at that eps",
    "perturbation": "Opening the perturbation",
    "transfer": "Asking the other models",
    "weights": "Looking for the weights",
    "experiment": "Drawing the figure again",
    "save": "Saving the image",
    "figure": "Composing the figure",
    "export": "Saving the figure",
}
"""What a question is about, for the sentence that says that it failed."""
_UNCHANGED = "Nothing else was changed; the Log has the details."


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
    number: int = field(default_factory=lambda: next(_numbers))
    index: int = -1
    """Of the newest step."""
    total: int | None = None
    queries: int | None = None
    """Rows through the model so far, where the attacker sees no gradients and they are what it pays with."""
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
    _run: Any = None

    @property
    def paused(self) -> bool:
        """Whether it waits."""
        return self._paused.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

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


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a job ended."""

    job: Job
    status: str
    """finished, cancelled, budget or failed."""
    result: Any = None
    """The best so far; None where no step was made."""
    error: str = ""
    """For failed: a sentence."""
    details: str = ""
    """For failed: the traceback."""


@dataclass(frozen=True, eq=False)
class Answer:
    """To a question."""

    key: str
    number: int
    """Of the question; an answer older than the newest question may be dropped."""
    value: Any = None
    error: str = ""
    details: str = ""


class EngineThread(QThread):
    """One lane. Lives in the main thread, so every signal arrives there; only ``run`` is the worker's."""

    done = Signal(object)
    """An `Outcome`."""
    answered = Signal(str)
    """The key of a question whose answer can be taken."""

    def __init__(self, name: str, parent: QObject | None = None, *, behind: EngineThread | None = None) -> None:
        """``behind``: another lane, to which this one gives way while it works."""
        super().__init__(parent)
        self.setObjectName(name)
        self._behind = behind
        self._wake = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._questions: dict[str, tuple[int, Callable[[], Any]]] = {}
        self._answers: dict[str, Answer] = {}
        self._stopping = False

    # ------------------------------------------------------------------ from the main thread

    def submit(self, job: Job) -> Job:
        """Begin a run; an earlier one of the same key is cancelled and ends first."""
        with self._wake:
            earlier = self._jobs.pop(job.key, None)
            if earlier is not None:
                earlier._cancel.set()
                self._jobs[f"{job.key}/{earlier.number}"] = earlier
            self._jobs[job.key] = job
            self._wake.notify()
        return job

    def ask(self, key: str, question: Callable[[], Any]) -> int:
        """Ask; an unanswered earlier question of the same key is dropped. The number tells the answer."""
        number = next(_numbers)
        with self._wake:
            self._questions.pop(key, None)
            self._questions[key] = (number, question)
            self._wake.notify()
        return number

    def take(self, key: str) -> Answer | None:
        """The newest answer of that key, once."""
        with self._wake:
            return self._answers.pop(key, None)

    def cancel(self, job: Job) -> None:
        """End a run at its next step; its best so far arrives with ``done``."""
        with self._wake:
            job._cancel.set()
            self._wake.notify()

    def pause(self, job: Job, paused: bool = True) -> None:
        """Hold a run between two steps, or let it go on. A paused run does not hold the lane."""
        with self._wake:
            (job._paused.set if paused else job._paused.clear)()
            self._wake.notify()

    def stop(self, milliseconds: int = 5000) -> bool:
        """Cancel everything and leave; whether the thread has ended in time.

        Only the first call waits: closing, quitting and exiting all call it, and a step that hangs must not be waited for thrice.
        """
        with self._wake:
            patience, self._stopping = 0 if self._stopping else milliseconds, True
            for job in self._jobs.values():
                job._cancel.set()
            self._questions.clear()
            self._wake.notify()
        return not self.isRunning() or self.wait(patience)

    @property
    def busy(self) -> bool:
        """Whether it has something to do. May be called in any thread."""
        with self._wake:
            return bool(self._questions) or self._next_job() is not None

    # ------------------------------------------------------------------ in the worker

    def run(self) -> None:
        """Serve questions first, then one step of one run, until stopped."""
        try:
            while True:
                with self._wake:
                    self._wake.wait_for(lambda: self._stopping or self._questions or self._next_job() is not None)
                    if self._stopping:
                        return
                    asked = next(iter(self._questions.items()), None)
                    if asked is not None:
                        del self._questions[asked[0]]
                    job = None if asked is not None else self._next_job()
                if asked is not None:
                    self._answer(asked[0], *asked[1])
                elif job is not None:
                    self._give_way()
                    self._advance(job)
        finally:
            self._close_all()

    def _give_way(self) -> None:
        """Wait while the lane in front works, but not for ever: a long attack there must not stop this one."""
        end = time.perf_counter() + GIVE_WAY_S
        with self._wake:
            while self._behind is not None and self._behind.busy and not self._stopping and time.perf_counter() < end:
                self._wake.wait(0.02)

    def _next_job(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.cancelled or not job.paused), None)

    def _answer(self, key: str, number: int, question: Callable[[], Any]) -> None:
        try:
            answer = Answer(key, number, question())
        except BaseException as error:  # a model of one's own may call sys.exit: the lane must outlive it
            answer = Answer(key, number, None, *_in_words(error, _ASKED.get(key, "What was asked for"), _UNCHANGED))
        with self._wake:
            self._answers[key] = answer
        self.answered.emit(key)

    def _advance(self, job: Job) -> None:
        """One step of ``job``; the others get their turn after it."""
        try:
            if job.cancelled:
                self._end(job)
                return
            if job._run is None:
                job._run = job.make()
            step = next(job._run, None)  # None: it is through
            if step is None:
                self._end(job)
                return
            job.index, job.total = step.index, step.total
            job.queries = _queries(job._run)
            job.read(step)
            if job.look is not None and job._wanted.is_set() and time.perf_counter() >= job._look_at:
                began = time.perf_counter()
                job._wanted.clear()
                job._preview = job.look(job._run, step)
                job._look_at = 3 * time.perf_counter() - 2 * began  # two thirds of the time are the attack's
        except BaseException as error:  # an attack may raise anything, StopIteration and SystemExit too
            self._fail(job, error)
            return
        with self._wake:  # behind the others
            for key, other in list(self._jobs.items()):
                if other is job:
                    self._jobs[key] = self._jobs.pop(key)

    def _fail(self, job: Job, error: BaseException) -> None:
        """End a job that raised, with the best so far, where a step had been made before."""
        sentence, details = _job_in_words(job, error)
        result = None
        with contextlib.suppress(Exception):
            result = _result(job)
        self._end(job, Outcome(job, "failed", result, sentence, details))

    def _end(self, job: Job, outcome: Outcome | None = None) -> None:
        """Close a job and say how it ended; without an outcome it is finished, cancelled or out of budget, as its result says."""
        with self._wake:
            for key in [key for key, other in self._jobs.items() if other is job]:
                del self._jobs[key]
        try:
            job.read_rest()
            if job._run is not None:
                job._run.close()
                job.queries = _queries(job._run)
            outcome = outcome or _outcome(job)
        except BaseException as error:
            outcome = outcome or Outcome(job, "failed", None, *_job_in_words(job, error))
        job._run = None
        self.done.emit(outcome)

    def _close_all(self) -> None:
        for job in self._jobs.values():
            if job._run is not None:
                with contextlib.suppress(Exception):
                    job._run.close()
                job._run = None
        self._jobs.clear()


def _result(job: Job) -> Any:
    result = job.result()
    return job.finish(result) if result is not None and job.finish is not None else result


def _queries(run: Any) -> int | None:
    """Of an attack that asks a black box."""
    view = getattr(getattr(run, "problem", None), "classifier", None)
    return None if view is None or getattr(view, "knows", "gradients") == "gradients" else int(view.forwards)


def _outcome(job: Job) -> Outcome:
    """Of a job that has not failed."""
    result = _result(job)
    if result is not None:
        return Outcome(job, str(result.reason), result)
    if job.cancelled:
        return Outcome(job, "cancelled")
    return Outcome(job, "failed", None, f"The {job.key} ended without a single step, so nothing came of it. Try other parameters.")


def _in_words(error: BaseException, what: str, cure: str) -> tuple[str, str]:
    """The sentence and the traceback; the frames are cleared, since a kept one keeps its tensors."""
    from engine.errors import in_words

    details = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    return in_words(error, what, cure), details


def _job_in_words(job: Job, error: BaseException) -> tuple[str, str]:
    kept = "Its best so far is kept with the finished runs" if job.index >= 0 else "Nothing was changed"
    return _in_words(error, f"The {job.key}", f"{kept}. Try other parameters; the Log has the details.")
