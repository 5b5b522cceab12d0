"""Staleness: the finished run that the canvas belongs to, and what was changed since. Computed once per change of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.session.history import AttackRun, History
from gui.session.run_comparison import Difference, changed_since, sentence
from gui.session.state import differing_fields
from gui.session.sticker_content import contents_taken_back

if TYPE_CHECKING:
    from gui.session.state import State

_COMPARED = (
    *(
        "classifier",
        "clean",
        "image",
        "prediction",
        "label",
        "target",
        "region",
        "stickers",
        "bounds",
        "defense",
        "delta",
        "run",
        "removed",
    ),
    *("slug", "settings", "seed", "data", "start", "knows_defense"),
)
"""The fields that a comparison depends on."""


class Staleness(QObject):
    """Says which run is on the canvas and how it differs from the plan. The session owns the only instance.

    While an attack is in progress the canvas shows its iterates, which belong to no finished run: ``run`` is None then.
    """

    changed = Signal()
    """``run`` or ``differences`` are new."""

    def __init__(self, history: History, current: Callable[[], State], running: Callable[[], bool], parent: QObject) -> None:
        """``current`` returns the present state; ``running`` whether an attack is in progress."""
        super().__init__(parent)
        self._history, self._current, self._running = history, current, running
        self.run: AttackRun | None = None
        """The run whose perturbation or sticker content is on the canvas, even if stickers were moved since; None if there is none."""
        self.differences: tuple[Difference, ...] = ()
        """The differences between ``run`` and the plan; see `gui.session.run_comparison.changed_since`."""
        self._compared: State | None = None
        """The state of the newest comparison."""
        history.changed.connect(self.follow)

    @property
    def stale(self) -> bool:
        """Whether the next run would be made otherwise than the one on the canvas."""
        return any(each.weighs for each in self.differences)

    @property
    def subject(self) -> str:
        """The kind of thing that was changed since, as the beginning of a sentence: “Stickers”, or “Parameters” where more was."""
        return "Stickers" if {each.name for each in self.differences if each.weighs} == {"stickers"} else "Parameters"

    @property
    def sentence(self) -> str:
        """The differences as a sentence, such as “Changed since this run: eps 8/255 → 2/255.”; empty if there are none."""
        return sentence(self.differences)

    @Slot()
    def follow(self) -> None:
        """Compare again after a change of the state or of the history, unless nothing that is compared has changed."""
        before, state = self._compared, self._current()
        run = self._of_canvas(state)
        if before is not None and run is self.run and not differing_fields(before, state, _COMPARED):
            return
        self._compared = state
        differences = () if run is None else changed_since(state, run)
        if run is not self.run or differences != self.differences:
            self.run, self.differences = run, differences
            self.changed.emit()

    def _of_canvas(self, state: State) -> AttackRun | None:
        return None if self._running() else self.behind(state)

    def behind(self, state: State) -> AttackRun | None:
        """Return the run whose perturbation or sticker content a state has, even while an attack is in progress; None if there is none."""
        if self._history.shown is not None:
            return self._history.shown
        run = None if state.run is None else self._history.find(state.run)
        return run if isinstance(run, AttackRun) and _is_behind(run, state) else None


def _is_behind(run: AttackRun, state: State) -> bool:
    """Return whether the canvas still has the run's perturbation or, of a sticker attack, some of the content that it made."""
    scene = run.scene
    if not state.is_current(scene):
        return False
    if scene.delta is not None:
        return state.delta is scene.delta
    return contents_taken_back(state.stickers, scene.stickers, run.before.stickers) is not None
