"""The View menu: workspaces, the drawer, and the theme. The window adds the docks, the canvas its commands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.spec import ActionSpec
from gui.shell.workspaces.table import WORKSPACES

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell
    from gui.theme import Choice


def choose_theme(choice: Choice, shell: Shell) -> None:
    """Switch to a theme."""
    shell.theme.choose(choice)


def switch_workspace(name: str, shell: Shell) -> None:
    """Exchange the layout of the docks."""
    shell.workspaces.switch(name)


def toggle_drawer(shell: Shell) -> None:
    """Open or close the docks at the bottom."""
    shell.workspaces.drawer.toggle()


def canvas_alone(shell: Shell) -> None:
    """Show the canvas alone, or everything again."""
    shell.workspaces.show_canvas_alone(not shell.workspaces.canvas_is_alone)


def reset_workspace(shell: Shell) -> None:
    """Put the docks of the present workspace back in their places."""
    shell.workspaces.reset()


LAYOUT: tuple[ActionSpec, ...] = (
    *(
        ActionSpec(
            f"workspace_{spec.name}",
            spec.title,
            partial(switch_workspace, spec.name),
            spec.tip,
            (f"Alt+{number}",),
            spec.icon,
            group="workspace",
        )
        for number, spec in enumerate(WORKSPACES, 1)
    ),
    ActionSpec(
        "toggle_drawer",
        "Drawer",
        toggle_drawer,
        "Open or close the panels at the bottom",
        ("Ctrl+J",),
        "mdi6.dock-bottom",
        checkable=True,
        rule=True,
    ),
    ActionSpec(
        "canvas_alone",
        "Canvas only",
        canvas_alone,
        "Hide everything but the canvas, or show it again",
        ("F11",),
        "mdi6.fullscreen",
        checkable=True,
    ),
    ActionSpec(
        "reset_workspace",
        "Reset workspace",
        reset_workspace,
        "Put the panels of this workspace back in their places; the other workspaces stay as they are",
        icon="mdi6.view-dashboard-outline",
    ),
)
THEME: tuple[ActionSpec, ...] = (
    ActionSpec(
        "theme_system", "System", partial(choose_theme, "system"), "Light or dark, as the system is", submenu="Theme", group="theme"
    ),
    ActionSpec("theme_light", "Light", partial(choose_theme, "light"), "Always light", submenu="Theme", group="theme"),
    ActionSpec("theme_dark", "Dark", partial(choose_theme, "dark"), "Always dark", submenu="Theme", group="theme"),
)
