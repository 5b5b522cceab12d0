"""The Results dock."""

from gui.panels.results.panel import ResultsPanel

__all__ = ["ResultsPanel"]
