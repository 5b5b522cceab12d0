"""The Differences dock: what differs between the runs that are compared."""

from gui.panels.comparison.panel import ComparisonPanel

__all__ = ["ComparisonPanel"]
