"""The canvas's foot: the loss of the run on the canvas, and the iteration of it that is shown."""

from gui.panels.timeline.panel import TimelineFoot

__all__ = ["TimelineFoot"]
