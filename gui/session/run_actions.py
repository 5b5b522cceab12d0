"""Actions on finished runs that the run chip, the Runs dock and the menus share: functions of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.session.history import AttackRun
from gui.session.run_comparison import changed_since, plan_of, sentence

if TYPE_CHECKING:
    from gui.session.session import Session


def use_parameters(session: Session, number: int) -> None:
    """Take a run's attack and parameters over for the next run, as an undo step, and say what still differs."""
    run = session.history.find(number)
    if not isinstance(run, AttackRun):
        return
    session.change(f"Use the parameters of {run.title}", **plan_of(session.state, run))
    left = [each for each in changed_since(session.state, run) if each.weighs]
    still = sentence(left).replace("Changed since this run", " What differs still") if left else " The next run is made as it was."
    session.notice.emit(f"The parameters of {run.title} were taken over.{still}")


def compare(session: Session, numbers: tuple[int, ...]) -> None:
    """Choose the runs that the canvas compares: A, B and further ones. Runs of other operations are left out."""
    attacks = {run.number for run in session.history.attacks}
    session.change(compared=tuple(number for number in dict.fromkeys(numbers) if number in attacks))
