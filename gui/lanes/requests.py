"""Requests: what the window asks the engine thread, and who gets the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.engine_thread import EngineThread


@dataclass(frozen=True, eq=False)
class _Question:
    """A question that waits for its answer."""

    number: int
    then: Callable[[Any], None]
    busy: str


class Requests(QObject):
    """Keeps the questions under way, by key, and hands each answer to the one who asked."""

    failed = Signal(str, str, str)
    """A question ended in an error: its key, the sentence and the traceback."""
    busyChanged = Signal(str)
    """What is being loaded, or nothing."""

    def __init__(self, lane: EngineThread, background: EngineThread, parent: QObject) -> None:
        super().__init__(parent)
        self._lane, self._background = lane, background
        self._waiting: dict[str, list[_Question]] = {}
        self._busy = ""
        for each in (lane, background):
            each.answered.connect(self._on_answer)

    def ask(
        self,
        key: str,
        question: Callable[[], Any],
        then: Callable[[Any], None],
        *,
        busy: str = "",
        stream: bool = False,
        background: bool = False,
    ) -> None:
        """Ask the engine; ``then`` gets the answer here. A waiting question of the same key is dropped.

        An error becomes a log entry and a notice; ``then`` is not called. ``busy`` is shown while it lasts. ``stream`` also takes the
        answer to a question that was already under way when a newer one came: else a steady stream of questions would never be answered.
        ``background`` is for what takes long and is not of the image on the canvas, which is not to wait for it; a key is always asked in
        the same lane.
        """
        number = (self._background if background else self._lane).ask(key, question)
        earlier = self._waiting.get(key, []) if stream else []
        self._waiting[key] = [*earlier, _Question(number, then, busy)]
        self._tell()

    def waiting(self, key: str) -> bool:
        """Whether a question of that key has no answer yet."""
        return bool(self._waiting.get(key))

    @Slot(str)
    def _on_answer(self, key: str) -> None:
        answer = self._lane.take(key) or self._background.take(key)
        waiting = self._waiting.get(key, [])
        question = next((q for q in waiting if answer is not None and q.number == answer.number), None)
        if answer is None or question is None:
            return
        self._waiting[key] = [q for q in waiting if q.number > answer.number]
        self._tell()
        if answer.failure is not None:
            self.failed.emit(key, answer.failure.sentence, answer.failure.details)
        else:
            question.then(answer.value)

    def _tell(self) -> None:
        """Say what the newest question is about that has something to say, or that none has any more."""
        under_way = [question for queue in self._waiting.values() for question in queue if question.busy]
        busy = max(under_way, key=lambda question: question.number).busy if under_way else ""
        if busy != self._busy:
            self._busy = busy
            self.busyChanged.emit(busy)
