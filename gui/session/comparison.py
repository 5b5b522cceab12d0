"""Comparison: the finished attacks that are compared, each with its letter, and which of them the panels show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.session.history import AttackRun, History

if TYPE_CHECKING:
    from gui.session.staleness import Staleness
    from gui.session.state import State


def letter_at(place: int) -> str:
    """Return the letter of a place: A to Z, then AA, AB and so on."""
    rest, last = divmod(place, 26)
    return (letter_at(rest - 1) if rest else "") + chr(ord("A") + last)


class Comparison(QObject):
    """Follows the compared runs: those that were removed are left out, and fewer than two are no comparison. The session owns it."""

    changed = Signal()
    """Other runs are compared, or another one is in the panels, or the canvas shows the comparison or no longer."""

    def __init__(
        self, history: History, staleness: Staleness, current: Callable[[], State], running: Callable[[], bool], parent: QObject
    ) -> None:
        """``current`` returns the present state; ``running`` whether an attack is in progress."""
        super().__init__(parent)
        self._history, self._staleness, self._current, self._running = history, staleness, current, running
        self.runs: tuple[AttackRun, ...] = ()
        """The compared runs: A, B and further ones; empty if there are fewer than two."""
        self._wanted = False
        self._told: tuple[object, ...] = ()
        history.changed.connect(self.follow)
        staleness.changed.connect(self.follow)

    @property
    def on_canvas(self) -> bool:
        """Whether the canvas shows the compared runs in place of the image and its attack."""
        return self._wanted and bool(self.runs)

    def set_wanted(self, wanted: bool) -> None:
        """Set whether the canvas is to show the comparison, if there is one."""
        self._wanted = wanted
        self.follow()

    @property
    def shown(self) -> AttackRun | None:
        """The run that the panels and the timeline show, whether it is compared or not; None if that is an image without a run."""
        return self._staleness.run

    def letter_of(self, run: AttackRun) -> str:
        """Return the letter of a run; empty if it is not compared."""
        return letter_at(self.runs.index(run)) if run in self.runs else ""

    @property
    def subject(self) -> str:
        """The run that the panels show, in words, such as “#3 PGD” or “#4 FGSM, not compared”."""
        if self._running():
            return "the attack in progress, not compared"
        if self.shown is None:
            return "the open image, without a run"
        return self.shown.title if self.shown in self.runs else f"{self.shown.title}, not compared"

    @Slot()
    def follow(self) -> None:
        """Look again which runs are compared, and tell if anything differs."""
        found = (self._history.find(number) for number in self._current().compared)
        runs = tuple(run for run in found if isinstance(run, AttackRun))
        self.runs = runs if len(runs) > 1 else ()
        told = (self.runs, self.on_canvas, self.shown, self._running())
        if told != self._told:
            self._told = told
            self.changed.emit()
