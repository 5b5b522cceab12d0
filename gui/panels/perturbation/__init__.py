"""The Perturbation dock: what was added to the image, and how the model's predictions are explained."""

from gui.panels.perturbation.panel import PerturbationPanel

__all__ = ["PerturbationPanel"]
