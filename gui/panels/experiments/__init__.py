"""The Experiments dock: the lectures' experiments."""

from gui.panels.experiments.panel import ExperimentsPanel

__all__ = ["ExperimentsPanel"]
