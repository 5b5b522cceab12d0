"""The dock of the perturbation and of the explanations of the model's predictions."""

from gui.panels.perturbation.panel import PerturbationPanel

__all__ = ["PerturbationPanel"]
