"""The Log dock: the finished runs, which can be shown again and compared, and the messages."""

from gui.panels.log.panel import LogPanel

__all__ = ["LogPanel"]
