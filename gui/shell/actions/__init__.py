"""Every command as data: the tables of the menus, one module for each menu, with the functions that the commands call beside them."""

from gui.shell.actions.shell import Shell
from gui.shell.actions.spec import ActionSpec
from gui.shell.actions.table import MENUS, SPECS, Actions

__all__ = ["MENUS", "SPECS", "ActionSpec", "Actions", "Shell"]
