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
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

_numbers = itertools.count(1)


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
    _cancel: threading.Event = field(default_factory=threading.Event)
    _paused: threading.Event = field(default_factory=threading.Event)
    _wanted: threading.Event = field(default_factory=threading.Event)
    _preview: Any = None
    _run: Any = None

    @property
    def paused(self) -> bool:
        """Whether it waits."""
        return self._paused.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

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

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
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
        """Cancel everything and leave; whether the thread has ended in time."""
        with self._wake:
            self._stopping = True
            for job in self._jobs.values():
                job._cancel.set()
            self._questions.clear()
            self._wake.notify()
        return not self.isRunning() or self.wait(milliseconds)

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
                    self._advance(job)
        finally:
            self._close_all()

    def _next_job(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.cancelled or not job.paused), None)

    def _answer(self, key: str, number: int, question: Callable[[], Any]) -> None:
        try:
            answer = Answer(key, number, question())
        except Exception as error:
            answer = Answer(key, number, None, *_in_words(error))
        with self._wake:
            self._answers[key] = answer
        self.answered.emit(key)

    def _advance(self, job: Job) -> None:
        """One step of ``job``; the others get their turn after it."""
        try:
            if job._run is None:
                if job.cancelled:
                    self._end(job, Outcome(job, "cancelled"))
                    return
                job._run = job.make()
            if job.cancelled:
                self._end(job, None)
                return
            step = next(job._run)
            job.index, job.total = step.index, step.total
            if job.look is not None and job._wanted.is_set():
                job._wanted.clear()
                job._preview = job.look(job._run, step)
        except StopIteration:
            self._end(job, None)
            return
        except Exception as error:
            sentence, details = _in_words(error)
            result = None
            with contextlib.suppress(Exception):  # the best so far, where a step had been made before it failed
                result = job._run.result()
            self._end(job, Outcome(job, "failed", result, sentence, details))
            return
        with self._wake:  # behind the others
            for key, other in list(self._jobs.items()):
                if other is job:
                    self._jobs[key] = self._jobs.pop(key)

    def _end(self, job: Job, outcome: Outcome | None) -> None:
        with self._wake:
            for key in [key for key, other in self._jobs.items() if other is job]:
                del self._jobs[key]
        if job._run is not None:
            try:
                job._run.close()
                if outcome is None:
                    result = job._run.result() if job.index >= 0 else None
                    if result is not None and job.finish is not None:
                        result = job.finish(result)
                    outcome = Outcome(job, str(result.reason) if result is not None else "cancelled", result)
            except Exception as error:
                outcome = Outcome(job, "failed", None, *_in_words(error))
            job._run = None
        self.done.emit(outcome)

    def _close_all(self) -> None:
        for job in self._jobs.values():
            if job._run is not None:
                with contextlib.suppress(Exception):
                    job._run.close()
                job._run = None
        self._jobs.clear()


def _in_words(error: BaseException) -> tuple[str, str]:
    """The sentence and the traceback; the frames are cleared, since a kept one keeps its tensors."""
    details = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    if type(error).__module__.startswith("engine"):
        return str(error), details
    text = (str(error).strip().splitlines() or [""])[0]
    if "out of memory" in text.lower():
        return "The device has not enough memory for this. Choose fewer restarts, a smaller image, or the CPU.", details
    return f"It failed with {type(error).__name__}: {text or 'no message'}. The details are in the Log.", details
