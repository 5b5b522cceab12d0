"""Small widgets that several panels and windows share."""

from gui.widgets.data_chooser import DataChooser
from gui.widgets.elided import ElidedLabel
from gui.widgets.empty import EmptyState
from gui.widgets.figure_view import FigureView
from gui.widgets.label_combo import LabelCombo
from gui.widgets.message import Message
from gui.widgets.scrolling import scrolling
from gui.widgets.section import Section
from gui.widgets.thumbnails import Thumbnail, Thumbnails

__all__ = [
    "DataChooser",
    "ElidedLabel",
    "EmptyState",
    "FigureView",
    "LabelCombo",
    "Message",
    "Section",
    "Thumbnail",
    "Thumbnails",
    "scrolling",
]
