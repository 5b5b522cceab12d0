"""The Training curves dock: the curves of trainings, and their networks."""

from gui.panels.curves.panel import CurvesPanel

__all__ = ["CurvesPanel"]
