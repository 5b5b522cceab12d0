"""ActionSpec: one command of a menu's table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.shell.actions.conditions import always

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.shell.actions.shell import Shell


@dataclass(frozen=True)
class ActionSpec:
    """A command of the menu in whose table it stands."""

    id: str
    """The action's object name is ``action.ID``."""
    title: str
    do: Callable[[Shell], object]
    """The function that the command calls with the window."""
    tip: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[Session], bool] = always
    submenu: str = ""
    """The title of the menu's submenu that holds the command; empty for none."""
    group: str = ""
    """Commands of one group exclude each other: one of them is checked."""
    checkable: bool = False
    """Whether the command switches something on and off by itself."""
    keys_elsewhere: bool = False
    """Whether the shortcuts are only named by the menu: another widget takes the keys while it has the focus."""
    rule: bool = False
    """Whether the menu has a separator before the command."""
