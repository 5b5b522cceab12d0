"""The View menu: zoom, theme and layout."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import has_frame
from gui.shell.actions.spec import ActionSpec

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell
    from gui.theme import Choice


def zoom_in(shell: Shell) -> None:
    """Show the images larger."""
    shell.canvas.zoom_in()


def zoom_out(shell: Shell) -> None:
    """Show the images smaller."""
    shell.canvas.zoom_out()


def fit(shell: Shell) -> None:
    """Show the whole images."""
    shell.canvas.fit()


def actual_size(shell: Shell) -> None:
    """Show one image pixel as one screen pixel."""
    shell.canvas.zoom_by(1 / shell.canvas.viewpoint.scale)


def choose_theme(choice: Choice, shell: Shell) -> None:
    """Switch to a theme."""
    shell.theme.choose(choice)


def reset_layout(shell: Shell) -> None:
    """Put every dock back in its place."""
    shell.reset_layout()


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec("zoom_in", "Zoom in", zoom_in, "Show larger", ("Ctrl++", "Ctrl+="), "mdi6.magnify-plus-outline", enabled=has_frame),
    ActionSpec("zoom_out", "Zoom out", zoom_out, "Show smaller", ("Ctrl+-",), "mdi6.magnify-minus-outline", enabled=has_frame),
    ActionSpec("fit", "Fit", fit, "Show the whole image", ("Ctrl+0",), "mdi6.fit-to-screen-outline", enabled=has_frame),
    ActionSpec(
        "actual_size",
        "100 %",
        actual_size,
        "One image pixel is one screen pixel",
        ("Ctrl+1",),
        "mdi6.numeric-1-box-outline",
        enabled=has_frame,
    ),
    ActionSpec(
        "theme_system", "System", partial(choose_theme, "system"), "Light or dark, as the system is", submenu="Theme", group="theme"
    ),
    ActionSpec("theme_light", "Light", partial(choose_theme, "light"), "Always light", submenu="Theme", group="theme"),
    ActionSpec("theme_dark", "Dark", partial(choose_theme, "dark"), "Always dark", submenu="Theme", group="theme"),
    ActionSpec("reset_layout", "Reset layout", reset_layout, "Put every dock back in its place", icon="mdi6.view-dashboard-outline"),
)
