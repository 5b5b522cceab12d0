"""Gibbon's window: a Qt application on top of the engine."""

import builtins

import PySide6.QtCore  # noqa: F401

# PySide replaces `__import__` and reads the source of every imported module, including torch's 900, to search for
# `from __feature__ import ...`. No module here uses that, and the search takes a sixth of a second at every start.
builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)
