"""History: the finished runs, kept within a memory budget, and which of them is on the canvas."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gui.session.attack_inputs import AttackInputs

if TYPE_CHECKING:
    from torch import Tensor

    from engine import AttackResult, Operation, Result
    from engine.images import Photograph
    from gui.session.scene import Scene
    from gui.session.state import State

_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False, kw_only=True)
class FinishedRun:
    """A finished run of any operation: an attack, an experiment, a training."""

    result: Result
    verdict: str = ""
    """What came of it, in a sentence."""
    passed: bool | None = None
    """Whether it came to what was wanted; None: nothing was."""
    when: datetime = field(default_factory=datetime.now)
    """When it ended."""
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def operation(self) -> Operation:
        """What was run, with its parameters."""
        return self.result.operation

    @property
    def title(self) -> str:
        """The number and the operation's title, such as ``#3 PGD``."""
        return f"#{self.number} {self.operation.title}"

    @property
    def ended(self) -> str:
        """How it ended: finished, cancelled, budget or failed."""
        return str(self.result.reason)

    @property
    def seconds(self) -> float:
        """Seconds inside the operation."""
        return self.result.seconds

    @property
    def bytes(self) -> int:
        """The memory that it holds on to, about."""
        return sum(_bytes_of(artifact) for artifact in self.result.artifacts.values())


@dataclass(frozen=True, eq=False, kw_only=True)
class AttackRun(FinishedRun):
    """A finished attack on the image, which can be put back on the canvas."""

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

    @property
    def bytes(self) -> int:
        """The memory that it holds on to, about; the photograph, which several runs share, is not in it."""
        result = self.result
        tensors: list[Tensor] = [result.clean, result.adversarial, result.trace, result.logits]
        return sum(tensor.nbytes for tensor in tensors) + super().bytes


def _bytes_of(artifact: Any) -> int:
    """The memory of the tensors that an artifact holds, the weights of a network included."""
    if not hasattr(artifact, "__dict__"):
        return 0
    parts = [*vars(artifact).values(), *getattr(artifact, "lines", {}).values()]
    modules = [part for part in parts if hasattr(part, "parameters")]
    weights = [weight for module in modules for weight in (*module.parameters(), *module.buffers())]
    return sum(part.nbytes for part in (*parts, *weights) if hasattr(part, "nbytes"))


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
        self.shown: AttackRun | None = None
        """The run on the canvas, while nothing has changed since."""
        self._removed: frozenset[int] = frozenset()
        self._told = True

    @property
    def attacks(self) -> tuple[AttackRun, ...]:
        """Those of the entries that can be put on the canvas."""
        return tuple(entry for entry in self.entries if isinstance(entry, AttackRun))

    def find(self, number: int) -> FinishedRun | None:
        """The run of that number."""
        return next((entry for entry in self.entries if entry.number == number), None)

    def add(self, entry: FinishedRun) -> list[FinishedRun]:
        """Keep a run, and return those that had to go for it, removed ones first. `look` tells of it."""
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
        shared = (entry.photograph for entry in self._all if isinstance(entry, AttackRun))
        photographs = {id(photograph): photograph.pixels.nbytes for photograph in shared if photograph is not None}
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

    def _on_canvas(self, state: State) -> AttackRun | None:
        """The run that was put there, else the newest one; after an edit none, after its undo the same again."""
        fitting = [entry for entry in self.attacks if _is_outcome(entry.scene, state)]
        chosen = (entry for entry in fitting if entry.number == state.run)
        return next(chosen, fitting[-1] if fitting else None)


def _is_outcome(scene: Scene, state: State) -> bool:
    return state.is_current(scene) and scene.delta is state.delta and scene.stickers == state.stickers
