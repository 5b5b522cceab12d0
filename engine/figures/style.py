"""Common style of all panels: colours with one meaning everywhere, fonts at their printed size, and measured text."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from engine.figures.fonts import drawable, families, families_for
from engine.text.formatting import format_norm, format_number, format_probability, format_share

CLEAN = "#0072B2"
ADVERSARIAL = "#D55E00"
LABEL = "#009E73"
TARGET = "#CC79A7"
"""The colour of targets; like the others one of Okabe and Ito's, as in every pane of the window."""

SIZE = 7.0
"""The usual font size in points, at the printed size. Pages are laid out for it, and scaled where another one is chosen."""
SIZES = (5.0, 14.0)
"""The smallest and the largest font size that may be chosen, in points."""
TITLE_SIZE = 7.5
LINE_MM = 3.0
"""Distance between lines of text, in mm."""
MM = 1 / 25.4
POINT_MM = 25.4 / 72
DPI = 300
_LOCK = threading.RLock()
_SLACK = 1.03
"""Factor for hinting and other fonts, which may set a line a little wider than it was measured."""


@dataclass(frozen=True)
class Theme:
    """Colours of the paper and of everything drawn on it."""

    paper: str
    ink: str
    faint: str
    """Colour of frames, axes and notes."""


LIGHT = Theme("#ffffff", "#1a1a1a", "#767676")
DARK = Theme("#1b1b1b", "#ececec", "#9a9a9a")


@contextmanager
def settings(theme: Theme = LIGHT, scale: float = 1.0) -> Iterator[None]:
    """Set matplotlib's settings for one figure, and restore them afterwards. PDF and SVG keep text as text.

    Parameters
    ----------
    theme
        The colours.
    scale
        The chosen font size over the usual one. Lines become as much thicker.
    """
    import matplotlib

    chosen: dict[str, Any] = {
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "gibbon",
        "font.family": list(families()),
        "font.size": SIZE * scale,
        "axes.labelsize": SIZE * scale,
        "axes.linewidth": 0.5 * scale,
        "axes.unicode_minus": True,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.edgecolor": theme.faint,
        "axes.facecolor": theme.paper,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.labelpad": 1.5 * scale,
        "text.hinting": "no_hinting",  # else letters on a screen are set wider than they were measured, and run out of the page
        "text.usetex": False,
        "text.parse_math": False,  # a label may contain a dollar sign
    }
    # The settings are the whole process's, and figures and animations are composed in different threads.
    with _LOCK, matplotlib.rc_context(cast(Any, chosen)):  # matplotlib types the keys as its own list of names
        yield


def text_width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Measure the width of one line of ``text``, in mm."""
    text = drawable(text)
    return _measured(text, families_for(text), size, bold)


@lru_cache(maxsize=20_000)
def _measured(text: str, fonts: tuple[str, ...], size: float, bold: bool) -> float:
    """Measure a line in these fonts. Wrapping asks for the same words at several widths, and so does each figure."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=list(fonts), size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width) * POINT_MM * _SLACK


def wrap(text: str, width_mm: float, size: float = SIZE, *, bold: bool = False) -> list[str]:
    """Wrap ``text`` to lines of ``width_mm``, at spaces (never before %) or, where one word is too long, inside it."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in re.split(r" (?!%)", paragraph):
            longer = f"{line} {word}" if line else word
            if text_width(longer, size, bold=bold) <= width_mm:
                line = longer
                continue
            if line:
                lines.append(line)
            *whole, line = _broken(word, width_mm, size, bold)
            lines += whole
        lines.append(line)
    return [line for line in lines if line]


def _broken(word: str, width_mm: float, size: float, bold: bool) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, size, bold=bold) > width_mm:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def number(value: float) -> str:
    """Format a limit of a scale: ``8/255`` where it is one, else three digits; with a true minus sign."""
    levels = abs(value) * 255
    whole = round(levels) / 255 if abs(levels - round(levels)) < 1e-3 else abs(value)  # in float32 8/255 is slightly off
    short = format_number(whole)
    if "/" not in short:
        short = norm(abs(value))
    return f"−{short}" if value < 0 else short


def norm(value: float) -> str:
    """Format with three significant digits, without an exponent as long as that is short."""
    text = format_norm(value)
    return f"{float(text):.0f}" if "e+0" in text and abs(value) < 1e6 else text


def percent(p: float) -> str:
    """Format a probability as ``99.8 %``, which no line break may split."""
    return format_probability(p).replace(" ", "\N{NO-BREAK SPACE}")


def percent_of(share: float) -> str:
    """Write a share of what was counted as ``99.8 %``, which no line break may split."""
    return format_share(share).replace(" ", "\N{NO-BREAK SPACE}")
