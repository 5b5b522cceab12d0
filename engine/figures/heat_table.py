"""A table of shares as a heat map: rows of names, columns with their budgets above, a colour and two lines of text in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, final

from engine.figures.page import Box, Page
from engine.figures.panels import FigurePanel, draw_scale
from engine.figures.style import LINE_MM, SIZE, text_width, wrap

LEAST_COLUMN_MM = 12.0
"""Smallest width of a column, in which an interval fits."""
_CELL_MM = 7.4
_GAP_MM = 0.3
_GROUP_GAP_MM = 1.5
_SMALL = 5.5
"""Font size of the intervals, in points."""
_NAMES_SHARE = 0.28
"""Largest share of the width that the names of the rows take."""


@dataclass(frozen=True)
class HeatCell:
    """One cell: a share with its texts."""

    value: float | None
    """The share in [0, 1], which gives the colour; None: no colour."""
    text: str
    small: tuple[str, ...] = ()
    """Further lines in smaller print, such as the interval."""


@dataclass(frozen=True)
class HeatColumn:
    """One column: the lines above it, and its cells from top to bottom."""

    title: str
    notes: tuple[str, ...]
    """Further lines of the header, such as the budget."""
    cells: tuple[HeatCell, ...]
    begins: bool = False
    """Whether a group of columns begins here, so that a gap stands before it."""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class HeatTablePanel(FigurePanel):
    """A heat map with a share and its interval in each cell."""

    names: Sequence[str]
    """The names of the rows."""
    columns: Sequence[HeatColumn]
    stretches: ClassVar[bool] = False
    least_mm: ClassVar[float] = 60.0

    def height(self, width: float) -> float:
        """Return the height of the header and the rows, in mm."""
        left, column = self._widths(width)
        return self._header(column) + sum(self._row_heights(left))

    def foot(self, width: float) -> float:
        """Return the height of the colour scale below the cells."""
        return LINE_MM + 1.0

    def draw(self, page: Page, box: Box) -> None:
        """Draw names, headers and cells, and the scale below."""
        left, column = self._widths(box.width)
        header, heights = self._header(column), self._row_heights(left)
        at = box.left + left
        for each in self.columns:
            at += _GROUP_GAP_MM if each.begins else 0
            lines = self._header_lines(each, column)
            top = box.top + header - 0.6 - LINE_MM * len(lines)
            for row, (line, bold) in enumerate(lines):
                page.text(at + column / 2, top + row * LINE_MM, line, ha="center", weight="bold" if bold else "normal")
            top = box.top + header
            for cell, height in zip(each.cells, heights, strict=True):
                _draw_cell(page, Box(at, top, column - _GAP_MM, height - _GAP_MM), cell)
                top += height
            at += column
        top = box.top + header
        for name, height in zip(self.names, heights, strict=True):
            lines_of = wrap(name, left - 1)
            first = top + (height - LINE_MM * len(lines_of)) / 2
            for row, line in enumerate(lines_of):
                page.text(box.left, first + row * LINE_MM, line)
            top += height
        scale = Box(box.left + left, box.top, min(60.0, box.width - left), box.height)
        draw_scale(page, scale, "viridis", ("0 %", "100 %"))

    def _widths(self, width: float) -> tuple[float, float]:
        """Return the width of the names and that of a column."""
        names = min(_NAMES_SHARE * width, 1.5 + max((text_width(name) for name in self.names), default=0.0))
        gaps = _GROUP_GAP_MM * sum(column.begins for column in self.columns)
        return names, (width - names - gaps) / max(1, len(self.columns))

    def _row_heights(self, left: float) -> list[float]:
        lines = max((1 + len(cell.small) for column in self.columns for cell in column.cells), default=1)
        cell = _CELL_MM + LINE_MM * max(0, lines - 2)
        return [max(cell, LINE_MM * len(wrap(name, left - 1)) + 0.6) for name in self.names]

    def _header(self, column: float) -> float:
        return 0.6 + LINE_MM * max((len(self._header_lines(each, column)) for each in self.columns), default=0)

    def _header_lines(self, column: HeatColumn, width: float) -> list[tuple[str, bool]]:
        title = [(line, True) for line in wrap(column.title, width - 1, SIZE, bold=True)]
        return title + [(line, False) for note in column.notes for line in wrap(note, width - 1)]


def fitting(columns: Sequence[HeatColumn], names: Sequence[str], width: float) -> list[list[HeatColumn]]:
    """Divide columns among tables of ``width`` mm, between groups if possible; each table begins with the first column."""
    room = width - min(_NAMES_SHARE * width, 1.5 + max((text_width(name) for name in names), default=0.0))
    most = max(2, int(room / (LEAST_COLUMN_MM + _GROUP_GAP_MM / 2)))
    first, rest = columns[0], list(columns[1:])
    tables: list[list[HeatColumn]] = []
    while rest:
        taken = rest[: most - 1]
        if len(rest) > len(taken):
            breaks = [place for place, column in enumerate(rest[: len(taken) + 1]) if column.begins and place > 0]
            taken = rest[: breaks[-1]] if breaks else taken
        tables.append([first, *taken])
        rest = rest[len(taken) :]
    return tables or [[first]]


def _draw_cell(page: Page, box: Box, cell: HeatCell) -> None:
    colour, ink = _colours(cell.value)
    page.swatch(box, colour or page.theme.paper)
    ink = ink or page.theme.faint
    lines = 1 + len(cell.small)
    top = box.top + (box.height - LINE_MM * lines) / 2
    page.text(box.left + box.width / 2, top, cell.text, ha="center", color=ink)
    for row, line in enumerate(cell.small, 1):
        page.text(box.left + box.width / 2, top + row * LINE_MM, line, ha="center", color=ink, size=_SMALL)


@cache
def _map() -> object:
    from matplotlib import colormaps

    return colormaps["viridis"]


def _colours(value: float | None) -> tuple[str, str]:
    """Return the colour of a share and one that is read on it; empty where there is no share."""
    if value is None:
        return "", ""
    from matplotlib.colors import to_hex

    red, green, blue, _ = _map()(float(value))  # type: ignore[operator]
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45
    return to_hex((red, green, blue)), "#000000" if light else "#ffffff"
