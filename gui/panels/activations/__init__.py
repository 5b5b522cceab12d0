"""The Activations dock: every layer's activations, the spikes, and the effect of a bound."""

from gui.panels.activations.panel import ActivationsPanel

__all__ = ["ActivationsPanel"]
