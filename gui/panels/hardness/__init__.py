"""The Hardness dock: how soon this image flips, beside the images of a reference set."""

from gui.panels.hardness.panel import HardnessPanel

__all__ = ["HardnessPanel"]
