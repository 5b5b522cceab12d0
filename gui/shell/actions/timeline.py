"""The View menu's Timeline: which iteration of the run is on the canvas."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import has_flip, has_timeline, keepable
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell

_MENU = "Timeline"


def move(by: int, shell: Shell) -> None:
    """Show the next iteration, or the previous one."""
    shell.session.moments.pause()
    shell.session.moments.move(by)


def first(shell: Shell) -> None:
    """Show the first iteration."""
    shell.session.moments.first()


def flip(shell: Shell) -> None:
    """Show the first iteration with a success."""
    shell.session.moments.to_flip()


def last(shell: Shell) -> None:
    """Show the last iteration."""
    shell.session.moments.last()


def end(shell: Shell) -> None:
    """Show the result or, during a run, its newest iterate."""
    shell.session.moments.to_end()


def play(shell: Shell) -> None:
    """Play the iterations, or stop."""
    shell.session.moments.toggle()


def keep(shell: Shell) -> None:
    """Keep the iteration that is shown as a run of its own."""
    shell.session.iterates.keep()


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec("play_timeline", "Play or pause", play, "Play the iterations", ("Ctrl+Space",), enabled=has_timeline, submenu=_MENU),
    ActionSpec(
        "previous_iteration",
        "Previous iteration",
        partial(move, -1),
        "Show the iteration before",
        (",",),
        enabled=has_timeline,
        submenu=_MENU,
        rule=True,
    ),
    ActionSpec(
        "next_iteration", "Next iteration", partial(move, 1), "Show the iteration after", (".",), enabled=has_timeline, submenu=_MENU
    ),
    ActionSpec(
        "first_iteration", "First iteration", first, "Show the image that the attack began with", enabled=has_timeline, submenu=_MENU
    ),
    ActionSpec(
        "flip_iteration",
        "First success",
        flip,
        "Show the iteration that first fooled the model",
        ("Shift+F",),
        enabled=has_flip,
        submenu=_MENU,
    ),
    ActionSpec(
        "last_iteration",
        "Last iteration",
        last,
        "Show the last iteration, which need not be the result",
        enabled=has_timeline,
        submenu=_MENU,
    ),
    ActionSpec(
        "show_result",
        "Result",
        end,
        "Show the result or, while an attack is in progress, its newest iteration",
        ("Shift+E",),
        enabled=has_timeline,
        submenu=_MENU,
    ),
    ActionSpec(
        "keep_iteration",
        "Keep this iteration",
        keep,
        "Keep the iteration that is shown as a run of its own",
        ("Shift+K",),
        "mdi6.content-save-plus-outline",
        enabled=keepable,
        submenu=_MENU,
        rule=True,
    ),
)
