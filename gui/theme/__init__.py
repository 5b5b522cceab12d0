"""Theme: colours with a meaning, palettes for light and dark, icons in the palette's colour, and one small style sheet."""

from gui.theme.colours import (
    ADVERSARIAL,
    ALERT,
    CLEAN,
    COMPARED,
    LABEL,
    MISTAKE,
    TARGET,
    blend,
    compared_colour,
    contrast_ratio,
    ink_on,
    is_dark,
    line_colour,
    muted_colour,
    readable,
    readable_on,
    text_colour,
)
from gui.theme.icons import glyph, icon
from gui.theme.measures import GRID, TEXT_BESIDE_ICON, number_font, pen
from gui.theme.palettes import palette
from gui.theme.style_sheet import STYLE_SHEET, primary, rich
from gui.theme.switching import Choice, Theme

__all__ = [
    "ADVERSARIAL",
    "ALERT",
    "CLEAN",
    "COMPARED",
    "GRID",
    "LABEL",
    "MISTAKE",
    "STYLE_SHEET",
    "TARGET",
    "TEXT_BESIDE_ICON",
    "Choice",
    "Theme",
    "blend",
    "compared_colour",
    "contrast_ratio",
    "glyph",
    "icon",
    "ink_on",
    "is_dark",
    "line_colour",
    "muted_colour",
    "number_font",
    "palette",
    "pen",
    "primary",
    "readable",
    "readable_on",
    "rich",
    "text_colour",
]
