"""Log: the finished runs, to be shown again and compared, and what was said meanwhile."""

from gui.panels.log.panel import LogPanel

__all__ = ["LogPanel"]
