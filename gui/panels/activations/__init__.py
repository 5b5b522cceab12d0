"""Activations: what every layer does, which units spike, and what a bound would cost and undo."""

from gui.panels.activations.panel import ActivationsPanel

__all__ = ["ActivationsPanel"]
