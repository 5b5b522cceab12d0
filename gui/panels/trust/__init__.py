"""The Trust dock: whether the number of the run on the canvas can be trusted."""

from gui.panels.trust.panel import TrustPanel

__all__ = ["TrustPanel"]
