"""The Robustness dock: accuracy over eps for several models."""

from gui.panels.robustness.panel import RobustnessPanel

__all__ = ["RobustnessPanel"]
