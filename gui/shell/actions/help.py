"""The Help menu: the page of keys, and what Gibbon is made of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gui.shell.actions.spec import ActionSpec
from gui.shell.guides import GUIDES

if TYPE_CHECKING:
    from gui.shell.actions.shell import Shell


def palette(shell: Shell) -> None:
    """Open the command palette."""
    shell.show_palette()


def start_guide(slug: str, shell: Shell) -> None:
    """Begin a guided tour."""
    shell.start_guide(slug)


def keyboard_help(shell: Shell) -> None:
    """Open the help page of keyboard and mouse."""
    shell.show_keyboard_help()


def about(shell: Shell) -> None:
    """Open the box with versions and licences."""
    from gui.shell.about import about as show

    show(shell.window())


def left_out(shell: Shell) -> None:
    """Open the box with what the lectures name and Gibbon leaves out."""
    from gui.shell.left_out import left_out as show

    show(shell.window())


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "palette",
        "Find a command…",
        palette,
        "Search all commands, attacks, presets, panels, samples and experiments by name",
        ("Ctrl+Shift+P",),
        "mdi6.magnify",
    ),
    ActionSpec("keyboard_help", "Keyboard and mouse", keyboard_help, "All shortcuts on one page", ("F1",), "mdi6.keyboard-outline"),
    *(
        ActionSpec(f"guide_{guide.slug}", guide.title, partial(start_guide, guide.slug), guide.about, submenu="Guided tours")
        for guide in GUIDES
    ),
    ActionSpec("left_out", "What is left out", left_out, "What the lectures name and Gibbon leaves out", icon="mdi6.format-list-bulleted"),
    ActionSpec("about", "About Gibbon", about, "Versions and licences", icon="mdi6.information-outline"),
)
