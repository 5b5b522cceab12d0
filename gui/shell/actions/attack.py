"""The Attack menu: the run in progress, and the runs that finished."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import can_run, has_image, has_runs, ready, running
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell


def run(shell: Shell) -> None:
    """Run the attack that is set up."""
    shell.session.planned.run()


def choose_attack(shell: Shell) -> None:
    """Open the list of attacks."""
    shell.spine.attack.open()


def choose_goal(shell: Shell) -> None:
    """Open the true label and the target."""
    shell.spine.goal.open()


def pause(shell: Shell) -> None:
    """Pause the run, or continue it."""
    job = shell.session.runs.job
    if job is not None:
        shell.session.runs.pause(not job.paused)


def cancel(shell: Shell) -> None:
    """End the run with its best image so far."""
    shell.session.runs.cancel()


def show_run(by: int, shell: Shell) -> None:
    """Show the run that finished before (-1) or after (1) the shown one."""
    history = shell.session.history
    if not history.attacks or (by < 0 and shell.session.places.return_back()):
        return  # a run that was opened from a table leads back to the table
    place = len(history.attacks) - 1 if history.shown is None else history.attacks.index(history.shown) + by
    if 0 <= place < len(history.attacks):
        shell.session.show_entry(history.attacks[place].number)
    else:
        shell.session.notice.emit("This is the newest run." if by > 0 else "This is the oldest run that is kept.")


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "choose_attack",
        "Choose attack…",
        choose_attack,
        "Open the list of attacks",
        ("Ctrl+Shift+A",),
        "mdi6.sword",
        enabled=ready,
    ),
    ActionSpec(
        "choose_goal",
        "True label and target…",
        choose_goal,
        "Name the true class of the image, and the class that an attack is to reach",
        ("Ctrl+L",),
        "mdi6.label-outline",
        enabled=has_image,
    ),
    ActionSpec("run", "Run", run, "Run the attack that is set up", ("F5", "Ctrl+R"), "mdi6.play", enabled=can_run, rule=True),
    ActionSpec("pause", "Pause", pause, "Hold the attack between two steps, or let it go on", ("Ctrl+P",), "mdi6.pause", enabled=running),
    ActionSpec("cancel", "Cancel", cancel, "End the attack; its best image so far is kept", ("Esc",), "mdi6.stop", enabled=running),
    ActionSpec(
        "previous_run",
        "Previous run",
        partial(show_run, -1),
        "Show the run that finished before",
        ("Alt+Left",),
        enabled=has_runs,
        rule=True,
    ),
    ActionSpec("next_run", "Next run", partial(show_run, 1), "Show the run that finished after", ("Alt+Right",), enabled=has_runs),
)
