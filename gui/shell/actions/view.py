"""The View menu below the canvas's commands: theme and layout."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell
    from gui.theme import Choice


def choose_theme(choice: Choice, shell: Shell) -> None:
    """Switch to a theme."""
    shell.theme.choose(choice)


def reset_layout(shell: Shell) -> None:
    """Put every dock back in its place."""
    shell.reset_layout()


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "theme_system", "System", partial(choose_theme, "system"), "Light or dark, as the system is", submenu="Theme", group="theme"
    ),
    ActionSpec("theme_light", "Light", partial(choose_theme, "light"), "Always light", submenu="Theme", group="theme"),
    ActionSpec("theme_dark", "Dark", partial(choose_theme, "dark"), "Always dark", submenu="Theme", group="theme"),
    ActionSpec("reset_layout", "Reset layout", reset_layout, "Put every dock back in its place", icon="mdi6.view-dashboard-outline"),
)
