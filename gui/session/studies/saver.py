"""Saver: writes studies in a thread of its own, so that neither a long attack nor a slow disk holds the other up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.engine_thread import EngineThread, stop
from gui.session.studies.snapshot import Snapshot, kept_and_left_out

Then = Callable[[Snapshot, Path], None]
Failed = Callable[[Snapshot, Path, str], None]


def write(snapshot: Snapshot, path: Path) -> tuple[str, ...]:
    """Write the study of a snapshot, and return sentences about the runs that it cannot hold."""
    from engine.study import write as write_study

    study, left_out = kept_and_left_out(snapshot)
    write_study(study, path)
    return left_out


class Saver(QObject):
    """The thread that saves, and the saves that have not ended."""

    leftOut = Signal(str)
    """A run cannot be held by a study: the sentence that says why, once for each."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._lane = EngineThread("studies", self)
        self._lane.use_threads(1)  # little is computed here, and more threads would be taken from the attack
        self._lane.responded.connect(self._on_response)
        self._told: set[str] = set()
        self._pending: dict[int, tuple[Snapshot, Path, Then, Failed]] = {}

    @property
    def busy(self) -> bool:
        """Whether a save has not ended."""
        return bool(self._pending)

    def writes(self, path: Path) -> bool:
        """Whether a save in this file has not ended."""
        return any(path == other for _, other, _, _ in self._pending.values())

    def start(self) -> None:
        """Start the thread."""
        self._lane.start()

    def save(self, snapshot: Snapshot, path: Path, then: Then, failed: Failed) -> None:
        """Write a snapshot; ``then`` or ``failed`` is called in the main thread."""
        number = self._lane.ask("save", lambda: write(snapshot, path), f"Saving {path.name}", keep=True)
        self._pending[number] = snapshot, path, then, failed

    def close(self) -> bool:
        """End the thread after the saves that were asked for; return whether it has ended in time."""
        return stop((self._lane,))

    @Slot(str)
    def _on_response(self, key: str) -> None:
        response = self._lane.take(key)
        if response is None or response.number not in self._pending:
            return
        snapshot, path, then, failed = self._pending.pop(response.number)
        if response.failure is None:
            for sentence in response.value:
                if sentence not in self._told:
                    self._told.add(sentence)
                    self.leftOut.emit(sentence)
            then(snapshot, path)
        else:
            failed(snapshot, path, response.failure.sentence)
