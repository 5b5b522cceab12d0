"""Layout of a page: rows of equal columns, with all texts measured before anything is drawn, so that none is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import GibbonError
from engine.figures.page import Box
from engine.figures.panels import FigurePanel
from engine.figures.style import DARK, LIGHT, LINE_MM, SIZE, SIZES, TITLE_SIZE, Theme, wrap

MARGIN = 0.8
_GUTTER = 3.0
_ROW_GAP = 3.2
_TITLE_GAP = 0.5
_CAPTION_GAP = 0.6
TITLE_MM = LINE_MM + 0.2
_PRINT_GAP = 1.5
_NARROWEST_MM = 20.0
_COLUMN_MM = 24.0
"""Smallest width of a picture where the number of columns is automatic."""


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


@dataclass(frozen=True)
class Placed:
    """A panel with its place on the page, in mm of the usual font size."""

    panel: FigurePanel
    letter: str
    box: Box
    """The rectangle of the content."""
    title_top: float
    title: tuple[str, ...]
    caption_top: float
    caption: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """Panels, titles, captions and small print with their places on a page, before anything is drawn."""

    placed: tuple[Placed, ...]
    width: float
    height: float
    small_print: tuple[str, ...]
    small_print_top: float
    scale: float
    """The chosen font size over the usual one: the printed page is as many times larger than ``width`` and ``height``."""
    theme: Theme


def arrange(
    panels: Sequence[FigurePanel],
    *,
    width_mm: float,
    columns: int | None = None,
    dark: bool = False,
    note: str = "",
    letters: bool = True,
    size: float = SIZE,
) -> Sheet:
    """Measure all texts in the present font, and find a place for everything. `compose` describes parameters and errors."""
    if not panels:
        raise GibbonError("A figure needs at least one panel, such as clean, adversarial or perturbation.")
    if not 30 <= width_mm <= 500:
        raise GibbonError(
            f"A figure {width_mm:g} mm wide cannot be set. Choose between 30 and 500: a paper's column has about 85, its full width 174."
        )
    if not SIZES[0] <= size <= SIZES[1]:
        raise GibbonError(f"Text of {size:g} points cannot be set. Choose between {SIZES[0]:g} and {SIZES[1]:g}: papers have 7 to 9.")
    scale = size / SIZE
    width = width_mm / scale
    if width < 2 * MARGIN + _NARROWEST_MM:
        raise GibbonError(f"Text of {size:g} points does not fit into {width_mm:g} mm. Choose a smaller size or a wider figure.")
    rows = _rows(panels, width - 2 * MARGIN, _columns(panels, width, columns), letters and len(panels) > 1)
    small_print = wrap(note, width - 2 * MARGIN) if note else []
    top, placed = MARGIN, list[Placed]()
    for row in rows:
        placed += _placed(row, top)
        top += _height(row) + _ROW_GAP
    print_top = top - _ROW_GAP + _PRINT_GAP
    height = top - _ROW_GAP + MARGIN + (_PRINT_GAP + LINE_MM * len(small_print) if small_print else 0)
    return Sheet(tuple(placed), width, height, tuple(small_print), print_top, scale, DARK if dark else LIGHT)


def _columns(panels: Sequence[FigurePanel], width: float, columns: int | None) -> int:
    if columns is not None:
        if columns < 1 or width / columns < 12:
            raise GibbonError(f"{columns} columns do not fit into {width:g} mm. Choose between 1 and {int(width // 12)}.")
        return columns
    fit = int((width - 2 * MARGIN + _GUTTER) // (_COLUMN_MM + _GUTTER))
    most = max(1, min(fit, 6, max(len(panels), 2)))
    return min(range(most, (most + 1) // 2 - 1, -1), key=lambda count: _holes(panels, width - 2 * MARGIN, count))


def _holes(panels: Sequence[FigurePanel], width: float, columns: int) -> float:
    """Return the width that stays empty beside pictures, over all rows. Plots fill what is left of theirs."""
    rows = _filled(panels, width, columns)
    return round(sum(_spare(row, width) for row in rows if all(panel.picture for panel, _ in row)), 3)


def _spare(row: Sequence[tuple[FigurePanel, float]], width: float) -> float:
    return width - sum(each for _, each in row) - _GUTTER * (len(row) - 1)


def _filled(panels: Sequence[FigurePanel], width: float, columns: int) -> list[list[tuple[FigurePanel, float]]]:
    """Fill rows in reading order with panels and their least widths; a plot that does not fit begins the next row."""
    column = (width - _GUTTER * (columns - 1)) / columns
    rows: list[list[tuple[FigurePanel, float]]] = [[]]
    for panel in panels:
        least = column if panel.picture else min(width, max(column, panel.least_mm))
        used = sum(w + _GUTTER for _, w in rows[-1])
        if rows[-1] and used + least > width + 1e-6:
            rows.append([])
        rows[-1].append((panel, least))
    return rows


def _rows(panels: Sequence[FigurePanel], width: float, columns: int, letters: bool) -> list[list[_Cell]]:
    """Return the cells of every row; plots share what their row has left."""
    cells, count = [], 0
    for row in _filled(panels, width, columns):
        plots = sum(not panel.picture for panel, _ in row)
        left, line = MARGIN, []
        for panel, least in row:
            own = least if panel.picture else least + _spare(row, width) / plots
            line.append(_Cell(panel, letter(count) if letters else "", left, own))
            left, count = left + own + _GUTTER, count + 1
        cells.append(line)
    return cells


def letter(count: int) -> str:
    """Return the letter of a panel: a to z, then aa, ab and so on."""
    return chr(ord("a") + count) if count < 26 else f"{chr(ord('a') + count // 26 - 1)}{chr(ord('a') + count % 26)}"


def _head(row: Sequence[_Cell]) -> float:
    return max(len(cell.title()) for cell in row) * TITLE_MM + _TITLE_GAP


def _height(row: Sequence[_Cell]) -> float:
    return _head(row) + max(cell.panel.height(cell.width) + cell.below() for cell in row)


def _placed(row: Sequence[_Cell], top: float) -> list[Placed]:
    """Place one row: plots grow to the height of the row, so that nothing below them stays empty."""
    head, whole = _head(row), _height(row)
    placed = []
    for cell in row:
        own = whole - head - cell.below() if cell.panel.stretches else cell.panel.height(cell.width)
        box = Box(cell.left, top + head, cell.width, own)
        under = box.top + box.height + cell.panel.foot(cell.width) + _CAPTION_GAP
        title, caption = tuple(cell.title()), tuple(cell.caption())
        placed.append(Placed(cell.panel, cell.letter, box, top, title, under, caption))
    return placed
