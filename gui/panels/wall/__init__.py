"""The Training images dock: the images that a network is trained on, as they came and as the recipe made them."""

from gui.panels.wall.panel import WallPanel

__all__ = ["WallPanel"]
