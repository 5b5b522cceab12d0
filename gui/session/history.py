"""History: the finished runs, kept within a memory budget, and which of them is on the canvas."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gui.session.attack_inputs import AttackInputs

if TYPE_CHECKING:
    from torch import Tensor

    from engine import AttackResult
    from engine.images import Photograph
    from gui.session.scene import Scene
    from gui.session.session import Session

_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """One finished run."""

    result: AttackResult
    scene: Scene
    """To be shown again: with the stickers and the perturbation that came out."""
    before: Scene
    """What was attacked."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Where the image came from: name, path, hash, crop."""
    given: AttackInputs = field(default_factory=AttackInputs)
    """What the attack was given beside the image."""
    photograph: Photograph | None = None
    """What the image was cropped from."""
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def title(self) -> str:
        """``#3 PGD``."""
        return f"#{self.number} {self.result.operation.title}"

    @property
    def bytes(self) -> int:
        """Memory that it holds on to, about."""
        result = self.result
        tensors: list[Tensor] = [result.clean, result.adversarial, result.trace, result.logits]
        return sum(tensor.nbytes for tensor in tensors) + sum(_bytes_of(artifact) for artifact in result.artifacts.values())


def _bytes_of(artifact: Any) -> int:
    """Of the tensors that an artifact holds."""
    parts = [*vars(artifact).values(), *getattr(artifact, "lines", {}).values()]
    return sum(part.nbytes for part in parts if hasattr(part, "nbytes"))


class History(QObject):
    """Entries, the newest last; the oldest go when the budget is full. Lives in the session."""

    changed = Signal()
    """An entry came or went, or another one is on the canvas."""

    def __init__(self, session: Session, max_bytes: int = 256 * 2**20) -> None:
        super().__init__(session)
        self._session = session
        self._max_bytes = max_bytes
        self._entries: list[FinishedRun] = []
        self.shown: FinishedRun | None = None
        """The run on the canvas, while nothing has changed since."""

    @property
    def entries(self) -> tuple[FinishedRun, ...]:
        """In the order in which they finished."""
        return tuple(self._entries)

    def find(self, number: int) -> FinishedRun | None:
        """The entry of that number."""
        return next((entry for entry in self._entries if entry.number == number), None)

    def add(self, entry: FinishedRun) -> list[FinishedRun]:
        """Keep it; the answer is what had to go for it."""
        self._entries.append(entry)
        gone = []
        while len(self._entries) > 1 and self._bytes > self._max_bytes:
            gone.append(self._entries.pop(0))
        self.shown = self._on_canvas()
        self.changed.emit()
        return gone

    @property
    def _bytes(self) -> int:
        photographs = {id(entry.photograph): entry.photograph.pixels.nbytes for entry in self._entries if entry.photograph is not None}
        return sum(entry.bytes for entry in self._entries) + sum(photographs.values())

    def remove(self, number: int) -> None:
        """Forget the entry of that number."""
        self._entries = [entry for entry in self._entries if entry.number != number]
        if self.shown is not None and self.shown.number == number:
            self.shown = None
        self.changed.emit()

    def look(self) -> None:
        """See whether what is on the canvas is still, or again, what came of a run."""
        shown = self._on_canvas()
        if shown is not self.shown:
            self.shown = shown
            self.changed.emit()

    def _on_canvas(self) -> FinishedRun | None:
        """The newest run whose outcome is exactly what is there: after an edit none, after its undo the same again."""
        session = self._session
        for entry in reversed(self._entries):
            scene = entry.scene
            if session.is_current(scene) and scene.delta is session.delta and scene.stickers == session.stickers:
                return entry
        return None
