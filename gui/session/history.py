"""History: the finished runs, kept within a memory budget, and which of them is on the canvas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, Signal

from gui.session.attack_inputs import AttackInputs
from gui.session.sticker_content import same_look

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack, AttackResult, Operation, Result
    from engine.images import Photograph
    from engine.study import Replayed
    from engine.timeline import Timeline
    from gui.session.scene import Scene
    from gui.session.state import State


class _Numbers:
    """The numbers of the finished runs."""

    def __init__(self) -> None:
        self._next = 1

    def take(self) -> int:
        """Return the number of a new run."""
        number, self._next = self._next, self._next + 1
        return number

    @property
    def next(self) -> int:
        """The number that the next run will have."""
        return self._next

    def continue_after(self, number: int) -> None:
        """Let the next run have the number after this one."""
        self._next = number + 1


_numbers = _Numbers()
new_number = _numbers.take
_FULL = "the memory for finished runs is full."


@dataclass(frozen=True, eq=False, kw_only=True)
class FinishedRun:
    """A finished run of any operation: an attack, an experiment, a training."""

    result: Result
    verdict: str = ""
    """The result in a sentence."""
    passed: bool | None = None
    """Whether the result is the one that was expected; None if none was."""
    when: datetime = field(default_factory=datetime.now)
    """The time at which the run ended."""
    number: int = field(default_factory=_numbers.take)

    @property
    def operation(self) -> Operation:
        """The operation that was run, with its parameters."""
        return self.result.operation

    @property
    def title(self) -> str:
        """The run's number and the operation's title, such as ``#3 PGD``."""
        from engine.text.formatting import run_title

        return run_title(self.number, self.operation.title)

    @property
    def ended(self) -> str:
        """The reason why the run ended: finished, cancelled, budget or failed."""
        return str(self.result.reason)

    @property
    def seconds(self) -> float:
        """The seconds that were spent inside the operation."""
        return self.result.seconds

    @property
    def bytes(self) -> int:
        """The approximate memory that the run occupies."""
        return sum(_bytes_of(artifact) for artifact in self.result.artifacts.values())


@dataclass(frozen=True, eq=False, kw_only=True)
class AttackRun(FinishedRun):
    """A finished attack on the image, which can be put back on the canvas."""

    result: AttackResult
    scene: Scene
    """The scene after the attack, with the perturbation or the sticker content that it made."""
    before: Scene
    """The scene that was attacked."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Where the image came from: name, path, hash, crop."""
    inputs: AttackInputs = field(default_factory=AttackInputs)
    """The attack's inputs beside the image and its parameters."""
    photograph: Photograph | None = None
    """The photograph that the image was cropped from."""
    timeline: Timeline | None = None
    """The iterates of the run; None if they were not kept."""
    iteration_of: int | None = None
    """The number of the run that this one is an iterate of, kept by the user; None for a run of its own."""
    replayed: Replayed | None = None
    """The comparison with the record that the run replayed; None for a run of this window's own."""

    @property
    def title(self) -> str:
        """The run's number and the attack's title; of an iterate also which one it is, as in ``#5 PGD, iteration 12 of 40, from #4``."""
        from engine.text.formatting import run_title

        return run_title(self.number, self.result.title, self.iteration_of)

    def is_outcome(self, state: State) -> bool:
        """Return whether a state has on its canvas what the run made."""
        return _is_outcome(self.scene, state)

    @property
    def reached_before(self) -> bool:
        """Whether the image counted as a success before the attack, which had nothing to do."""
        return bool(self.result.reached_before[0])

    @property
    def planned(self) -> Attack:
        """The attack as the user planned it: the operation, unless the run continued one at stickers that were moved."""
        return cast("Attack", self.result.operation) if self.inputs.planned is None else self.inputs.planned

    @property
    def bytes(self) -> int:
        """The approximate memory that the run occupies, without the photograph, which several runs may share."""
        result = self.result
        tensors: list[Tensor] = [result.clean, result.adversarial, result.trace, result.logits]
        return sum(tensor.nbytes for tensor in tensors) + super().bytes + (0 if self.timeline is None else self.timeline.nbytes)


def _bytes_of(artifact: Any) -> int:
    """Return the memory of the tensors in an artifact, including the weights of a network."""
    if not hasattr(artifact, "__dict__"):
        return 0
    parts = [*vars(artifact).values(), *getattr(artifact, "lines", {}).values()]
    modules = [part for part in parts if hasattr(part, "parameters")]
    weights = [weight for module in modules for weight in (*module.parameters(), *module.buffers())]
    return sum(part.nbytes for part in (*parts, *weights) if hasattr(part, "nbytes"))


def _weight(runs: Sequence[FinishedRun], besides: Sequence[FinishedRun] = ()) -> int:
    """Return the memory of runs, in bytes. A photograph counts once, and not at all if a run of ``besides`` has it, too."""
    elsewhere = _photographs(besides)
    photographs = (photograph for key, photograph in _photographs(runs).items() if key not in elsewhere)
    return sum(run.bytes for run in runs) + sum(photograph.pixels.nbytes for photograph in photographs)


def _photographs(runs: Sequence[FinishedRun]) -> dict[int, Photograph]:
    shared = (run.photograph for run in runs if isinstance(run, AttackRun))
    return {id(photograph): photograph for photograph in shared if photograph is not None}


class History(QObject):
    """The finished runs, the newest last. The oldest are dropped when the memory budget is exceeded. The session owns the only instance.

    Runs that the user removed have a smaller budget of their own, since most of them are never wanted again; those that an undo step can
    bring back are kept whatever they need of it.
    """

    changed = Signal()
    """A run was added or removed, or another one is on the canvas."""

    def __init__(self, parent: QObject | None = None, max_bytes: int = 256 * 2**20, max_removed_bytes: int = 16 * 2**20) -> None:
        super().__init__(parent)
        self._max_bytes, self._max_removed_bytes = max_bytes, max_removed_bytes
        self._all: list[FinishedRun] = []
        """All runs, including those that the user removed, since undo may bring them back."""
        self.entries: tuple[FinishedRun, ...] = ()
        """The runs that the user has not removed, in the order in which they finished."""
        self.shown: AttackRun | None = None
        """The run whose result is on the canvas; None after any change to the canvas."""
        self._removed: frozenset[int] = frozenset()
        self._announced = True

    @property
    def next_number(self) -> int:
        """The number that the next run will have."""
        return _numbers.next

    @property
    def every(self) -> tuple[FinishedRun, ...]:
        """All runs, including those that the user removed."""
        return tuple(self._all)

    def restore(self, runs: Sequence[FinishedRun]) -> None:
        """Replace all runs by those of a study; the next run continues their numbers. The next `follow` emits `changed`."""
        self._all = list(runs)
        _numbers.continue_after(max((run.number for run in runs), default=0))
        self._list()
        self._announced = False

    def substitute(self, replaced: Callable[[FinishedRun], FinishedRun]) -> bool:
        """Put ``replaced(run)``, of the same number, instead of every run; return whether any differs. The next `follow` emits."""
        after = [replaced(run) for run in self._all]
        differs = any(new is not old for new, old in zip(after, self._all, strict=True))
        self._all = after
        self._list()
        return differs

    def known(self, numbers: Set[int]) -> frozenset[int]:
        """Return those of the numbers of removed runs whose run is still there."""
        return frozenset(entry.number for entry in self._all if entry.number in numbers)

    @property
    def attacks(self) -> tuple[AttackRun, ...]:
        """The entries that are attacks, which can be put on the canvas."""
        return tuple(entry for entry in self.entries if isinstance(entry, AttackRun))

    @property
    def removed(self) -> tuple[FinishedRun, ...]:
        """The runs that the user removed and that can be brought back, in the order in which they finished."""
        return tuple(entry for entry in self._all if entry.number in self._removed)

    def find(self, number: int) -> FinishedRun | None:
        """Return the run with a number; None if there is none."""
        return next((entry for entry in self.entries if entry.number == number), None)

    def source(self, run: AttackRun) -> AttackRun | None:
        """Return the run that has the timeline of ``run``: itself or, of a kept iterate, the run that it is of. None if that is gone."""
        if run.iteration_of is None:
            return run
        return next((each for each in self._all if each.number == run.iteration_of and isinstance(each, AttackRun)), None)

    def add(self, entry: FinishedRun, undoable: Set[int] = frozenset()) -> list[str]:
        """Add a run, and make room for it; return what that cost, in sentences. The next `follow` emits `changed`.

        First removed runs are dropped until the others fit into their own budget, the oldest first, but none whose number is ``undoable``,
        since an undo step can bring it back, and none whose timeline a kept iterate shows. Then the timelines of older runs are thinned to
        their first, flip and last iterate, the oldest first; then runs are dropped, those that the user removed first, and the one on the
        canvas last.
        """
        self._all.append(entry)
        self._drop_removed(undoable)
        thinned, gone = self._thin_timelines(), []
        while len(self._all) > 1 and self._bytes > self._max_bytes:
            oldest = min(self._all[:-1], key=lambda each: (each.number not in self._removed, each is self.shown))
            self._all.remove(oldest)
            if oldest.number not in self._removed:
                gone.append(oldest)
        self._list()
        left = [run for run in thinned if run in self._all and run.number not in self._removed]
        return [*([_thinned_words(left)] if left else []), *(f"{run.title} was forgotten: {_FULL}" for run in gone)]

    def _drop_removed(self, undoable: Set[int]) -> None:
        """Drop the oldest removed runs until the rest of them fit into their budget. Nothing is said, since the user took them away."""
        left = (run for run in self._all if isinstance(run, AttackRun) and run.number not in self._removed)
        needed = {*undoable, *(run.iteration_of for run in left)}
        removed = self.removed
        over = _weight(removed, besides=self.entries) - self._max_removed_bytes
        for run in removed:
            if over <= 0:
                break
            if run.number not in needed:
                self._all.remove(run)
                over = _weight(self.removed, besides=self.entries) - self._max_removed_bytes

    def _thin_timelines(self) -> list[FinishedRun]:
        thinned: list[FinishedRun] = []
        for run in self._all[:-1]:
            if self._bytes <= self._max_bytes:
                break
            if isinstance(run, AttackRun) and run.timeline is not None:
                before = len(run.timeline.settled)
                run.timeline.shrink(0)
                thinned += [run] * (len(run.timeline.settled) < before)
        return thinned

    @property
    def _bytes(self) -> int:
        return _weight(self._all)

    def _list(self) -> None:
        entries = tuple(entry for entry in self._all if entry.number not in self._removed)
        if entries != self.entries:
            self.entries, self._announced = entries, False

    def follow(self, state: State) -> None:
        """Update ``entries`` and ``shown`` after a change of the state: the removed runs, and the run whose result is on the canvas."""
        if state.removed is not self._removed:
            self._removed = state.removed
            self._list()
        shown = self._on_canvas(state)
        if shown is not self.shown or not self._announced:
            self.shown, self._announced = shown, True
            self.changed.emit()

    def _on_canvas(self, state: State) -> AttackRun | None:
        """Return the run whose result is on the canvas: of several the one that the user put there, else the newest."""
        fitting = [entry for entry in self.attacks if _is_outcome(entry.scene, state)]
        chosen = (entry for entry in fitting if entry.number == state.run)
        return next(chosen, fitting[-1] if fitting else None)


def _thinned_words(runs: Sequence[FinishedRun]) -> str:
    """Return which timelines were thinned, in a sentence."""
    if len(runs) == 1:
        return f"The timeline of #{runs[0].number} was thinned to its first, flip and last step: {_FULL}"
    names = f"#{runs[0].number} and #{runs[1].number}" if len(runs) == 2 else f"{len(runs)} runs"
    return f"The timelines of {names} were thinned to their first, flip and last steps: {_FULL}"


def _is_outcome(scene: Scene, state: State) -> bool:
    return state.is_current(scene) and scene.delta is state.delta and same_look(scene.stickers, state.stickers)
