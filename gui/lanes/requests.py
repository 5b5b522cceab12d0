"""Requests: short pieces of work that the window requests from the lanes, and the delivery of each response to its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.engine_thread import EngineThread
from gui.lanes.failures import Response


@dataclass(frozen=True, eq=False)
class _Pending:
    """A request that has no response yet."""

    key: str
    then: Callable[[Any], None]
    failed: Callable[[str], None] | None
    what: str
    busy: str
    keep: bool
    quiet: bool


class Requests(QObject):
    """Remembers the pending requests by number, and delivers each response to its caller.

    There are two kinds of requests. A *picture of the moment* (a frame, a preview, a list) is replaced by a newer request of the same key.
    An *effect* (a save, an export, an image to be opened) was requested by the user: with ``keep`` it is queued, nothing replaces it,
    and it is carried out even while the window closes.
    """

    failed = Signal(str, str, str)
    """A request ended in an error: its key, the sentence and the traceback."""
    busyChanged = Signal(str)
    """The ``busy`` text of the newest pending request that has one; empty if none has."""

    def __init__(self, lane: EngineThread, background: EngineThread, parent: QObject) -> None:
        super().__init__(parent)
        self._lane, self._background = lane, background
        self._pending: dict[int, _Pending] = {}
        self._busy = ""
        self._closed = False
        for each in (lane, background):
            each.responded.connect(self._on_response)

    def ask(
        self,
        key: str,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        *,
        what: str,
        failed: Callable[[str], None] | None = None,
        busy: str = "",
        stream: bool = False,
        keep: bool = False,
        quiet: bool = False,
        background: bool = False,
    ) -> None:
        """Request ``work()`` from a lane; ``then`` is called with its value in the main thread.

        Parameters
        ----------
        key
            A pending request of the same key is replaced by this one, unless ``keep``. All requests of a key go to the same lane.
        what
            The subject of the error's sentence, such as “Saving the image”.
        failed
            Called with the error's sentence in place of ``then``. The messages and the status bar show it in any case, unless ``quiet``.
        busy
            The text that the status bar shows until the response arrives.
        stream
            Whether the response to an earlier request of the key that was already in progress is delivered, too. Otherwise a steady stream
            of requests would never show anything.
        keep
            Whether the request is an effect: it is queued, and nothing replaces it.
        quiet
            Whether an error that a user can cause (a `GibbonError`) goes to ``failed`` alone: a preview would log it at every change.
        background
            Whether the background lane does the work. For long work that does not concern the image on the canvas.
        """
        number = (self._background if background else self._lane).ask(key, work, what, keep=keep)
        if not keep and not stream:
            self._forget(key, number)
        self._pending[number] = _Pending(key, then, failed, what, busy, keep, quiet)
        self._tell_busy()

    def waiting(self, key: str) -> bool:
        """Return whether a request of the key is pending."""
        return any(pending.key == key for pending in self._pending.values())

    def close(self) -> list[str]:
        """Stop delivering responses, and return a sentence for each effect that failed or was not carried out.

        Call it after the lanes have ended, since they carry out effects until then.
        """
        self._closed = True
        responses = {response.number: response for lane in (self._lane, self._background) for response in lane.take_all()}
        sentences = []
        for number, pending in self._pending.items():
            response = responses.get(number)
            if pending.keep and response is None:
                sentences.append(f"{pending.what} was not finished before the window closed. Do it again.")
            elif pending.keep and response is not None and response.failure is not None:
                sentences.append(response.failure.sentence)
        self._pending.clear()
        return sentences

    def _forget(self, key: str, number: int) -> None:
        """Drop the pending requests of a key, up to a number, that are not kept."""
        self._pending = {n: p for n, p in self._pending.items() if p.keep or p.key != key or n > number}

    @Slot(str)
    def _on_response(self, key: str) -> None:
        response = None if self._closed else self._lane.take(key) or self._background.take(key)
        pending = None if response is None else self._pending.pop(response.number, None)
        if response is None or pending is None:
            return
        if not pending.keep:
            self._forget(pending.key, response.number)
        self._tell_busy()
        self._deliver(response, pending)

    def _deliver(self, response: Response, pending: _Pending) -> None:
        failure = response.failure
        if failure is None:
            pending.then(response.value)
            return
        if not (pending.quiet and failure.expected):
            self.failed.emit(pending.key, failure.sentence, failure.details)
        if pending.failed is not None:
            pending.failed(failure.sentence)

    def _tell_busy(self) -> None:
        """Emit `busyChanged` with the label of the newest pending request that has one."""
        busy = next((pending.busy for _, pending in sorted(self._pending.items(), reverse=True) if pending.busy), "")
        if busy != self._busy:
            self._busy = busy
            self.busyChanged.emit(busy)
