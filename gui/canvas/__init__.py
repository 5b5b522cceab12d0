"""The canvas: linked panes with stickers drawn by the mouse, and the crop rectangle of a photograph."""

from gui.canvas.crop import CropView
from gui.canvas.keys import HELP, SHORTCUTS
from gui.canvas.view import ImageCanvas

__all__ = ["HELP", "SHORTCUTS", "CropView", "ImageCanvas"]
