"""EngineThread: one lane of engine work. It takes runs (long) and requests (short), which are served between two steps of a run.

    submit(Job) --> step, step, step ... --> done(JobOutcome): finished, cancelled, budget or failed
                       ^ between two steps: the newest request of each key, and every kept one --> responded(key)

Importing this module imports no torch; the work itself does, in the worker thread. No array travels in a signal: the main thread fetches
previews and responses with ``take_preview`` and ``take``. The worker never waits for the window.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal

from gui.lanes.failures import Response, failure_of
from gui.lanes.jobs import Job, numbers

GIVE_WAY_S = 0.5
"""Seconds that a lane waits at most before each of its steps while the lane with priority over it is busy."""
_UNCHANGED = "Nothing else was changed; the messages have the details."


@dataclass(frozen=True, eq=False)
class _Request:
    """A short piece of work in the queue."""

    key: str
    number: int
    work: Callable[[], Any]
    what: str
    keep: bool


def stop(lanes: Sequence[EngineThread], milliseconds: int = 5000) -> bool:
    """Stop all lanes and wait for them; return whether all have ended in time.

    Kept requests are carried out before a lane ends, as far as the time allows: none begins later than four fifths of it.
    Only the first call waits: closing, quitting and exiting all call this function, and a step that hangs must not delay each of them.
    """
    first = [lane.leave(0.8 * milliseconds / 1000) for lane in lanes]
    deadline = QDeadlineTimer(milliseconds if any(first) else 0)
    return all(lane.wait(deadline) for lane in lanes)


class EngineThread(QThread):
    """One lane: a worker thread and its queue. The object lives in the main thread, where its signals arrive; `run` is the worker's."""

    done = Signal(object)
    """A job has ended: its `JobOutcome`."""
    responded = Signal(str)
    """A request has a response: the key under which `take` returns it."""

    def __init__(self, name: str, parent: QObject | None = None, *, behind: EngineThread | None = None) -> None:
        """``behind`` is a lane with priority: before each step this one waits while that one is busy, for `GIVE_WAY_S` at most."""
        super().__init__(parent)
        self.setObjectName(name)
        self._behind = behind
        self._wake = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._requests: dict[str, _Request] = {}
        self._responses: dict[str, Response] = {}
        self._threads: int | None = None
        self._stopping = False
        self._leave_by = 0.0

    # ------------------------------------------------------------------ from the main thread

    def submit(self, job: Job) -> Job:
        """Queue a run. An earlier run of the same key is cancelled and ends first."""
        with self._wake:
            earlier = self._jobs.pop(job.key, None)
            if earlier is not None:
                earlier.request_cancel()
                self._jobs[f"{job.key}/{earlier.number}"] = earlier
            self._jobs[job.key] = job
            self._wake.notify()
        return job

    def ask(self, key: str, work: Callable[[], Any], what: str = "What was asked for", *, keep: bool = False) -> int:
        """Queue a request for ``work()``, and return the number that its response will carry.

        It replaces a queued request of the same key. With ``keep`` it gets a key of its own, so that it replaces none and none replaces it.
        ``what`` is the subject of the error's sentence, such as “Saving the image”.
        """
        number = next(numbers)
        own = f"{key}/{number}" if keep else key
        with self._wake:
            self._requests.pop(own, None)
            self._requests[own] = _Request(own, number, work, what, keep)
            self._wake.notify()
        return number

    def take(self, key: str) -> Response | None:
        """Remove and return the newest response of a key; None if there is none."""
        with self._wake:
            return self._responses.pop(key, None)

    def take_all(self) -> list[Response]:
        """Remove and return all responses."""
        with self._wake:
            taken, self._responses = [*self._responses.values()], {}
            return taken

    def use_threads(self, count: int) -> None:
        """Set the number of CPU threads that torch uses in this lane, from its next request or run on. May be called in any thread.

        A run in progress keeps the count that it began with: its record names that count, and another one would change the last digits.
        """
        with self._wake:
            self._threads = count

    def cancel(self, job: Job) -> None:
        """End a run before its next step; `done` then carries its best result so far."""
        with self._wake:
            job.request_cancel()
            self._wake.notify()

    def pause(self, job: Job, paused: bool = True) -> None:
        """Pause a run between two steps, or resume it. Other runs of the lane continue while one is paused."""
        with self._wake:
            job.request_pause(paused)
            self._wake.notify()

    def want_preview(self, job: Job) -> None:
        """Request a preview of a run's next step; one that is paused gives that of its last step, unless it was shown already."""
        job.want_preview()
        if job.is_behind:
            with self._wake:
                self._wake.notify()

    def leave(self, seconds: float = 0.0) -> bool:
        """Cancel every run and end the thread after its current step; return whether this is the first call.

        Kept requests are carried out first, as many as begin within ``seconds``; all other requests are dropped.
        """
        with self._wake:
            was_stopping, self._stopping = self._stopping, True
            if not was_stopping:
                self._leave_by = time.perf_counter() + seconds
            for job in self._jobs.values():
                job.request_cancel()
            self._wake.notify()
        return not was_stopping

    @property
    def busy(self) -> bool:
        """Whether the lane has a request or an unpaused run. May be called in any thread."""
        with self._wake:
            return bool(self._requests) or self._next_job() is not None

    # ------------------------------------------------------------------ in the worker

    def run(self) -> None:
        """Serve requests first, then make one step of one run, until the thread is stopped."""
        try:
            while self._serve():
                pass
        finally:
            self._close_all()

    def _serve(self) -> bool:
        """Wait for a request or a run, and serve it; return False if the thread is to end.

        This is a method of its own, so that a lane that waits for work keeps nothing of its last work in memory.
        """
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or self._requests or self._next_job() is not None)
            request = self._next_request()
            if request is None and self._stopping:
                return False
            job = None if request is not None else self._next_job()
        if request is not None:
            self._respond(request)
        elif job is not None:
            self._give_way()
            self._advance(job)
        return True

    def _next_request(self) -> _Request | None:
        """Remove and return the oldest request; while the thread is stopping only a kept one, within the time that `leave` allows."""
        in_time = time.perf_counter() < self._leave_by
        for key, request in self._requests.items():
            if not self._stopping or (request.keep and in_time):
                return self._requests.pop(key)
        return None

    def _apply_threads(self, count: int | None) -> None:
        """Set torch's number of CPU threads, which is a setting of each Python thread. None (not measured yet) changes nothing."""
        if count is not None:
            import torch

            if torch.get_num_threads() != count:
                torch.set_num_threads(count)

    def _give_way(self) -> None:
        """Wait while the lane with priority is busy, at most `GIVE_WAY_S`: a long attack there must not stop this lane."""
        end = time.perf_counter() + GIVE_WAY_S
        with self._wake:
            while self._behind is not None and self._behind.busy and not self._stopping and time.perf_counter() < end:
                self._wake.wait(0.02)

    def _next_job(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.cancelled or not job.paused or job.is_behind), None)

    def _respond(self, request: _Request) -> None:
        try:
            self._apply_threads(self._threads)
            response = Response(request.key, request.number, request.work())
        except BaseException as error:  # the user's own model code may call sys.exit: the lane must survive that
            response = Response(request.key, request.number, None, failure_of(error, request.what, _UNCHANGED))
        with self._wake:
            self._responses[request.key] = response
        self.responded.emit(request.key)

    def _advance(self, job: Job) -> None:
        """Make one step of ``job``, then put it behind the lane's other jobs."""
        if not job.started:
            job.threads = self._threads
        self._apply_threads(job.threads)
        outcome = job.advance()
        if outcome is None:
            self._put_behind(job)
            return
        with self._wake:
            for key in [key for key, other in self._jobs.items() if other is job]:
                del self._jobs[key]
        self.done.emit(outcome)

    def _put_behind(self, job: Job) -> None:
        """Move the job to the end of the queue, so that jobs take turns."""
        with self._wake:
            for key, other in list(self._jobs.items()):
                if other is job:
                    self._jobs[key] = self._jobs.pop(key)

    def _close_all(self) -> None:
        """End all runs; ``done`` carries the best result so far of each, which `deliver_endings` delivers."""
        for job in dict.fromkeys(self._jobs.values()):
            self.done.emit(job.end())
        self._jobs.clear()
