"""The Image dock."""

from gui.panels.image.panel import ImagePanel

__all__ = ["ImagePanel"]
