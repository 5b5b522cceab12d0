"""The Model dock."""

from gui.panels.model.panel import ModelPanel

__all__ = ["ModelPanel"]
