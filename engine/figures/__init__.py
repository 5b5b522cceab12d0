"""Figures for papers: panels composed to a width in mm, exported to PDF, SVG or PNG with their provenance. This package knows no Qt."""

from engine.figures.bars import BarsPanel
from engine.figures.choose import (
    DEFAULT,
    NO_ACTIVATIONS,
    PERTURBATION_VIEWS,
    Subject,
    check_panels,
    explanations_in,
    note_for,
    panel_titles,
    panels_for,
    panels_of,
    subject_of,
)
from engine.figures.compose import boxes_in, compose
from engine.figures.export import FORMATS, export, export_arrays
from engine.figures.panels import FigurePanel, ImagePanel, SaliencyPanel, SignedMapPanel
from engine.figures.plots import HistogramPanel, LossPanel

__all__ = [
    "DEFAULT",
    "FORMATS",
    "NO_ACTIVATIONS",
    "PERTURBATION_VIEWS",
    "BarsPanel",
    "FigurePanel",
    "HistogramPanel",
    "ImagePanel",
    "LossPanel",
    "SaliencyPanel",
    "SignedMapPanel",
    "Subject",
    "boxes_in",
    "check_panels",
    "compose",
    "explanations_in",
    "export",
    "export_arrays",
    "note_for",
    "panel_titles",
    "panels_for",
    "panels_of",
    "subject_of",
]
