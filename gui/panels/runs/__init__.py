"""The Runs dock: the finished runs, which can be shown again, compared, and removed."""

from gui.panels.runs.panel import RunsPanel

__all__ = ["RunsPanel"]
