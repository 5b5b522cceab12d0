"""Composition of panels to a page: rows of equal columns, with text measured before it is placed, so that none is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from engine.errors import GibbonError
from engine.figures.fonts import drawable, families, families_for, missing_glyphs
from engine.figures.page import Box, Page
from engine.figures.panels import FigurePanel
from engine.figures.style import DARK, LIGHT, LINE_MM, MM, TITLE_SIZE, settings, wrap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 0.8
_GUTTER = 3.0
_ROW_GAP = 3.2
_TITLE_GAP = 0.5
_CAPTION_GAP = 0.6
_COLUMN_MM = 24.0
"""Smallest width of a picture where the number of columns is automatic."""


_BOXES: WeakKeyDictionary[Figure, str] = WeakKeyDictionary()
"""Sentences of `boxes_in` for the figures that still exist."""


@dataclass(frozen=True)
class _Cell:
    panel: FigurePanel
    letter: str
    left: float
    width: float

    def title(self) -> list[str]:
        return wrap(f"{self.letter}  {self.panel.title}" if self.letter else self.panel.title, self.width, TITLE_SIZE, bold=True)

    def caption(self) -> list[str]:
        return wrap(self.panel.caption, self.width) if self.panel.caption else []

    def below(self) -> float:
        """Height of everything below the content."""
        lines = len(self.caption())
        return self.panel.foot(self.width) + (_CAPTION_GAP + lines * LINE_MM if lines else 0)


def compose(
    panels: Sequence[FigurePanel],
    *,
    width_mm: float = 85.0,
    columns: int | None = None,
    dark: bool = False,
    note: str = "",
    letters: bool = True,
) -> Figure:
    """Compose a figure of exactly ``width_mm``, as high as its panels need.

    Parameters
    ----------
    panels
        Panels in reading order. Pictures take one column each, plots share the rest of their row.
    width_mm
        Width of the printed figure: 85 is one column of a paper, 174 its full width.
    columns
        Pictures side by side; None: as many as there are at a width of 24 mm or more, at most six.
    dark
        Light text on dark paper, for slides.
    note
        A line of small print at the bottom: model, attack, assumptions.
    letters
        Whether panels are lettered a, b, c.

    Raises
    ------
    GibbonError
        There is no panel, or the width is too small for one.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not panels:
        raise GibbonError("A figure needs at least one panel, such as clean, adversarial or perturbation.")
    if not 30 <= width_mm <= 500:
        raise GibbonError(
            f"A figure {width_mm:g} mm wide cannot be set. Choose between 30 and 500: a paper's column has about 85, its full width 174."
        )
    theme = DARK if dark else LIGHT
    with settings(theme):
        rows = _rows(panels, width_mm - 2 * _MARGIN, _columns(panels, width_mm, columns), letters and len(panels) > 1)
        small_print = wrap(note, width_mm - 2 * _MARGIN) if note else []
        height = (
            2 * _MARGIN + sum(map(_height, rows)) + _ROW_GAP * (len(rows) - 1) + (1.5 + LINE_MM * len(small_print) if small_print else 0)
        )
        figure = Figure(figsize=(width_mm * MM, height * MM), facecolor=theme.paper)
        FigureCanvasAgg(figure)
        page = Page(figure, theme)
        top = _MARGIN
        for row in rows:
            _draw(page, row, top)
            top += _height(row) + _ROW_GAP
        for place, line in enumerate(small_print):
            page.text(_MARGIN, top - _ROW_GAP + 1.5 + place * LINE_MM, line, color=theme.faint)
        _set_in_fonts(figure)
    return figure


def boxes_in(figure: Figure) -> str:
    """List the characters of a composed figure that appear as boxes, since no font has them; empty where there are none."""
    return _BOXES.get(figure, "")


def _set_in_fonts(figure: Figure) -> None:
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


def _columns(panels: Sequence[FigurePanel], width_mm: float, columns: int | None) -> int:
    if columns is not None:
        if columns < 1 or width_mm / columns < 12:
            raise GibbonError(f"{columns} columns do not fit into {width_mm:g} mm. Choose between 1 and {int(width_mm // 12)}.")
        return columns
    fit = int((width_mm - 2 * _MARGIN + _GUTTER) // (_COLUMN_MM + _GUTTER))
    return max(1, min(fit, 6, max(len(panels), 2)))


def _rows(panels: Sequence[FigurePanel], width: float, columns: int, letters: bool) -> list[list[_Cell]]:
    """Fill rows in reading order; a plot that does not fit begins the next row, and plots share the rest of theirs."""
    column = (width - _GUTTER * (columns - 1)) / columns
    rows: list[list[tuple[FigurePanel, float]]] = [[]]
    for panel in panels:
        least = column if panel.picture else min(width, max(column, panel.least_mm))
        used = sum(w + _GUTTER for _, w in rows[-1])
        if rows[-1] and used + least > width + 1e-6:
            rows.append([])
        rows[-1].append((panel, least))
    cells, count = [], 0
    for row in rows:
        spare = width - sum(w for _, w in row) - _GUTTER * (len(row) - 1)
        plots = sum(not panel.picture for panel, _ in row)
        left, line = _MARGIN, []
        for panel, least in row:
            own = least if panel.picture else least + spare / plots
            line.append(_Cell(panel, _letter(count) if letters else "", left, own))
            left, count = left + own + _GUTTER, count + 1
        cells.append(line)
    return cells


def _letter(count: int) -> str:
    return chr(ord("a") + count) if count < 26 else f"{chr(ord('a') + count // 26 - 1)}{chr(ord('a') + count % 26)}"


def _head(row: Sequence[_Cell]) -> float:
    return max(len(cell.title()) for cell in row) * (LINE_MM + 0.2) + _TITLE_GAP


def _content(row: Sequence[_Cell]) -> float:
    return max(cell.panel.height(cell.width) for cell in row)


def _height(row: Sequence[_Cell]) -> float:
    tall = _content(row)
    return _head(row) + max(_own_height(cell, tall) + cell.below() for cell in row)


def _own_height(cell: _Cell, tall: float) -> float:
    return tall if cell.panel.stretches else cell.panel.height(cell.width)


def _draw(page: Page, row: Sequence[_Cell], top: float) -> None:
    head, tall = _head(row), _content(row)
    for cell in row:
        for place, line in enumerate(cell.title()):
            page.text(cell.left, top + place * (LINE_MM + 0.2), line, size=TITLE_SIZE, weight="bold")
        box = Box(cell.left, top + head, cell.width, _own_height(cell, tall))
        cell.panel.draw(page, box)
        under = box.top + box.height + cell.panel.foot(cell.width) + _CAPTION_GAP
        for place, line in enumerate(cell.caption()):
            page.text(cell.left, under + place * LINE_MM, line)
