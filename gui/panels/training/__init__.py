"""The Training dock: the recipe of a training."""

from gui.panels.training.panel import TrainingPanel

__all__ = ["TrainingPanel"]
