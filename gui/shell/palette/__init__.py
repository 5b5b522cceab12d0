"""The command palette: one search field that finds every command, attack, preset, panel, sample and experiment."""

from gui.shell.palette.collecting import collect, open_palette
from gui.shell.palette.entries import Entry, find
from gui.shell.palette.popup import CommandPalette

__all__ = ["CommandPalette", "Entry", "collect", "find", "open_palette"]
