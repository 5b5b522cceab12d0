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
    from gui.session.state import State

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
    """The finished runs, the newest last; the oldest go when the memory budget is full. Lives in the session."""

    changed = Signal()
    """A run came or went, or another one is on the canvas."""

    def __init__(self, parent: QObject | None = None, max_bytes: int = 256 * 2**20) -> None:
        super().__init__(parent)
        self._max_bytes = max_bytes
        self._all: list[FinishedRun] = []
        """With those that were removed: undo may bring them back."""
        self.entries: tuple[FinishedRun, ...] = ()
        """The runs that were not removed, in the order in which they finished."""
        self.shown: FinishedRun | None = None
        """The run on the canvas, while nothing has changed since."""
        self._removed: frozenset[int] = frozenset()
        self._told = True

    def find(self, number: int) -> FinishedRun | None:
        """The run of that number."""
        return next((entry for entry in self.entries if entry.number == number), None)

    def add(self, entry: FinishedRun) -> list[FinishedRun]:
        """Keep it; the answer is the runs that had to go for it, removed ones first. `look` tells of it."""
        self._all.append(entry)
        gone = []
        while len(self._all) > 1 and self._bytes > self._max_bytes:
            oldest = next((each for each in self._all[:-1] if each.number in self._removed), self._all[0])
            self._all.remove(oldest)
            if oldest.number not in self._removed:
                gone.append(oldest)
        self._list()
        return gone

    @property
    def _bytes(self) -> int:
        photographs = {id(entry.photograph): entry.photograph.pixels.nbytes for entry in self._all if entry.photograph is not None}
        return sum(entry.bytes for entry in self._all) + sum(photographs.values())

    def _list(self) -> None:
        entries = tuple(entry for entry in self._all if entry.number not in self._removed)
        if entries != self.entries:
            self.entries, self._told = entries, False

    def look(self, state: State) -> None:
        """Follow the state: the runs that were removed, and the run whose outcome is exactly what is on the canvas."""
        if state.removed is not self._removed:
            self._removed = state.removed
            self._list()
        shown = self._on_canvas(state)
        if shown is not self.shown or not self._told:
            self.shown, self._told = shown, True
            self.changed.emit()

    def _on_canvas(self, state: State) -> FinishedRun | None:
        """The run that was put there, else the newest one; after an edit none, after its undo the same again."""
        fitting = [entry for entry in self.entries if _is_outcome(entry.scene, state)]
        chosen = (entry for entry in fitting if entry.number == state.run)
        return next(chosen, fitting[-1] if fitting else None)


def _is_outcome(scene: Scene, state: State) -> bool:
    return state.is_current(scene) and scene.delta is state.delta and scene.stickers == state.stickers
