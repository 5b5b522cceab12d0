"""Composition of panels to a figure, in fonts that have the glyphs of its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from engine.errors import GibbonError
from engine.figures.fonts import FONTS, Font, drawable, families, families_for, missing_glyphs, set_in
from engine.figures.layout import MARGIN, TITLE_MM, Placed, Sheet, arrange
from engine.figures.page import Page
from engine.figures.panels import FigurePanel
from engine.figures.style import LINE_MM, MM, SIZE, TITLE_SIZE, settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BOXES: WeakKeyDictionary[Figure, str] = WeakKeyDictionary()
"""Sentences of `boxes_in` for the figures that still exist."""


def compose(
    panels: Sequence[FigurePanel],
    *,
    width_mm: float = 85.0,
    columns: int | None = None,
    dark: bool = False,
    note: str = "",
    letters: bool = True,
    font: Font = "sans",
    size: float = SIZE,
) -> Figure:
    """Compose a figure of exactly ``width_mm``, as high as its panels need.

    Parameters
    ----------
    panels
        Panels in reading order. Pictures take one column each, plots share the rest of their row.
    width_mm
        Width of the printed figure: 85 is one column of a paper, 174 its full width.
    columns
        Pictures side by side; None: as many as there are at a width of 24 mm or more, at most six, so that few places stay empty.
    dark
        Light text on dark paper, for slides.
    note
        A line of small print at the bottom: model, attack, assumptions.
    letters
        Whether panels are lettered a, b, c.
    font
        One of `FONTS`: a family with or without serifs.
    size
        Font size in points at the printed size, from 5 to 14.

    Raises
    ------
    GibbonError
        There is no panel, the width is too small for one, or there is no such font or size.
    """
    with set_in(_checked(font)):
        sheet = arrange(panels, width_mm=width_mm, columns=columns, dark=dark, note=note, letters=letters, size=size)
        with settings(sheet.theme, sheet.scale):
            page = begin(sheet)
            for place in sheet.placed:
                draw(page, place)
            set_in_fonts(page.figure)
    return page.figure


def begin(sheet: Sheet) -> Page:
    """Return the page of a sheet with its small print, without panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    inches = (sheet.width * sheet.scale * MM, sheet.height * sheet.scale * MM)
    figure = Figure(figsize=inches, facecolor=sheet.theme.paper)
    FigureCanvasAgg(figure)
    page = Page(figure, sheet.theme, sheet.scale)
    for place, line in enumerate(sheet.small_print):
        page.text(MARGIN, sheet.small_print_top + place * LINE_MM, line, color=sheet.theme.faint)
    return page


def draw(page: Page, place: Placed, *, caption: bool = True) -> None:
    """Draw one panel with its title and, unless it is left out, its caption."""
    for row, line in enumerate(place.title):
        page.text(place.box.left, place.title_top + row * TITLE_MM, line, size=TITLE_SIZE, weight="bold")
    place.panel.draw(page, place.box)
    for row, line in enumerate(place.caption if caption else ()):
        page.text(place.box.left, place.caption_top + row * LINE_MM, line)


def _checked(font: Font) -> Font:
    if font not in FONTS:
        raise GibbonError(f"There is no font “{font}”. Choose among {', '.join(FONTS)}.")
    return font


def boxes_in(figure: Figure) -> str:
    """List the characters of a composed figure that appear as boxes, since no font has them; empty where there are none."""
    return _BOXES.get(figure, "")


def set_in_fonts(figure: Figure) -> None:
    """Set every text in fonts that have its glyphs, and replace characters without any by a box: matplotlib would only warn."""
    from matplotlib.text import Text

    _BOXES[figure] = missing_glyphs(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        words = text.get_text()
        shown = drawable(words)
        if shown != words:
            text.set_text(shown)
        if (chosen := families_for(shown)) != families():
            text.set_fontfamily(list(chosen))
