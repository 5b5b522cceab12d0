"""The Defense dock: preprocessing before the model, and what it changes for the images on the canvas."""

from gui.panels.defense.panel import DefensePanel

__all__ = ["DefensePanel"]
