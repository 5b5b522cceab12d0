"""Figures for papers: panels composed to a width in mm, exported to PDF, SVG or PNG with their provenance. This package knows no Qt."""

from engine.figures.bars import BarsPanel
from engine.figures.choose import (
    DEFAULT,
    NO_ACTIVATIONS,
    check_panels,
    explanations_in,
    panel_titles,
    panels_for,
    panels_of,
)
from engine.figures.compose import boxes_in, compose, set_in_fonts
from engine.figures.contact_sheet import contact_sheet, rates_figure
from engine.figures.export import FORMATS, export, export_arrays, export_pages
from engine.figures.fonts import FONTS, Font
from engine.figures.landscape import landscape_figure
from engine.figures.latex import latex_caption
from engine.figures.panels import FigurePanel, ImagePanel, SaliencyPanel, SignedMapPanel
from engine.figures.plan import FigurePlan
from engine.figures.plots import HistogramPanel, LossPanel
from engine.figures.subject import Subject, subject_of
from engine.figures.tables import curve_figure, table_figure
from engine.figures.words import attacked_image, note_for

__all__ = [
    "DEFAULT",
    "FONTS",
    "FORMATS",
    "NO_ACTIVATIONS",
    "BarsPanel",
    "FigurePanel",
    "FigurePlan",
    "Font",
    "HistogramPanel",
    "ImagePanel",
    "LossPanel",
    "SaliencyPanel",
    "SignedMapPanel",
    "Subject",
    "attacked_image",
    "boxes_in",
    "check_panels",
    "compose",
    "contact_sheet",
    "curve_figure",
    "explanations_in",
    "export",
    "export_arrays",
    "export_pages",
    "landscape_figure",
    "latex_caption",
    "note_for",
    "panel_titles",
    "panels_for",
    "panels_of",
    "rates_figure",
    "set_in_fonts",
    "subject_of",
    "table_figure",
]
