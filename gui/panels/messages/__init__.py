"""The Messages dock: what happened, with errors and notes."""

from gui.panels.messages.panel import MessagesPanel

__all__ = ["MessagesPanel"]
