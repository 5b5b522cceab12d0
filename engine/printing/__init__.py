"""Prints: stickers at their true size on paper, and photographs of them in place. This package knows no Qt."""

from engine.printing.chart import Chart, Patch, chart_of
from engine.printing.colour_shift import ColourShift, measure
from engine.printing.paper import PAPERS, Paper, PaperName
from engine.printing.photo import PhotoReading, read_photo
from engine.printing.photo_figure import photo_figure
from engine.printing.print_sheet import PrintPlan, PrintSheets, print_sheets
from engine.printing.scale import pixel_size
from engine.printing.source import attacked_stickers, canvas_content

__all__ = [
    "PAPERS",
    "Chart",
    "ColourShift",
    "Paper",
    "PaperName",
    "Patch",
    "PhotoReading",
    "PrintPlan",
    "PrintSheets",
    "attacked_stickers",
    "canvas_content",
    "chart_of",
    "measure",
    "photo_figure",
    "pixel_size",
    "print_sheets",
    "read_photo",
]
