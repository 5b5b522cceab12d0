"""The bar above the canvas: drawing tools, views, the options of the view, and the zoom."""

from gui.canvas.header.bar import CanvasHeader

__all__ = ["CanvasHeader"]
