"""The spine's chips without a window, for the tests of single docks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gui.shell.spine.attack import AttackChip
from gui.shell.spine.goal import GoalChip

if TYPE_CHECKING:
    from gui.choosers.goal import GoalForm
    from gui.session.session import Session


@dataclass(eq=False)
class LoneShell:
    """The part of the main window that a chip needs."""

    session: Session

    def bring_up(self, name: str, control: str = "") -> None: ...


class LoneSpine:
    """The attack's and the goal's chips of a session, built when they are first asked for."""

    def __init__(self, session: Session) -> None:
        self._shell = LoneShell(session)

    @cached_property
    def attack(self) -> AttackChip:
        chip = AttackChip(self._shell)  # type: ignore[arg-type]
        chip.resize(200, 36)
        chip.show()
        chip.opening.emit()
        return chip

    @cached_property
    def goal(self) -> GoalChip:
        chip = GoalChip(self._shell)  # type: ignore[arg-type]
        chip.resize(200, 36)
        chip.show()
        return chip

    @property
    def form(self) -> GoalForm:
        """The form of label and target, with its popup open."""
        if self.goal.popup is None or not self.goal.popup.isVisible():
            self.goal.open()
        return self.goal.form
