"""Print sheets: the stickers of an image at their true size, with a colour chart, as figures of a size in mm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import GibbonError
from engine.figures.page import Box
from engine.figures.style import LINE_MM
from engine.printing.arranging import Placed, arranged
from engine.printing.chart import Chart, chart_of
from engine.printing.drawing import (
    MARK_GAP_MM,
    MARK_MM,
    Sheet,
    draw_chart,
    draw_piece,
    draw_surround,
    drawing_settings,
    fiducials,
    finished,
    label_lines,
    note_lines,
)
from engine.printing.paper import A4, PAPERS, Paper, length
from engine.printing.pieces import Piece, pieces_of
from engine.stickers import Sticker
from engine.text.formatting import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BLEED = 20.0
_GAP = 3.0
"""Distance between stickers with their marks and labels, in mm."""
_LEAST_LABEL = 34.0
"""Least width of a label, in mm."""


@dataclass(frozen=True)
class PrintPlan:
    """How stickers are printed.

    Raises
    ------
    GibbonError
        The bleed is no length from 0 to `MOST_BLEED` mm.
    """

    pixel_mm: float
    """Width of one pixel of the image in mm, see `engine.printing.pixel_size`."""
    image: tuple[int, int]
    """Width and height of the image in pixels."""
    paper: Paper = A4
    bleed: float = 0.0
    """Width in mm by which the content continues beyond the cut line."""
    smooth: bool = False
    """Whether neighbouring pixels run into each other; else each is a square."""
    chart: bool = True
    """Whether the colour chart is printed."""
    palette: str = ""
    """The palette that the content was held to, whose colours the chart then has, too."""
    note: str = ""
    """Small print: model and attack."""

    def __post_init__(self) -> None:
        if not 0 <= length(self.bleed, "The bleed") <= MOST_BLEED:
            raise GibbonError(f"A bleed of {self.bleed:g} mm is not possible. Choose 0 to {MOST_BLEED:g} mm.")

    @property
    def title(self) -> str:
        """The title of each sheet, with the size."""
        width, height = (short(side * self.pixel_mm) for side in self.image)
        return f"Stickers at true size: the image is {width} × {height} mm, one pixel {short(self.pixel_mm)} mm"

    def entry(self) -> dict[str, Any]:
        """Return the settings for a record, with the places in mm that a program needs to find on a scan."""
        chart = chart_of(self.palette) if self.chart else None
        return {
            "kind": "print sheet",
            "paper": self.paper.name,
            "landscape": self.paper.landscape,
            "margin_mm": self.paper.margin,
            "pixel_mm": self.pixel_mm,
            "bleed_mm": self.bleed,
            "smooth": self.smooth,
            "palette": self.palette,
            "chart": None if chart is None else [patch.code for patch in chart.patches],
            "fiducials_mm": [list(point) for point in fiducials(self.paper)],
        }


@dataclass(frozen=True, eq=False)
class PrintSheets:
    """The sheets of stickers, drawn, with all places."""

    figures: tuple[Figure, ...]
    """One for each sheet, as large as the paper."""
    places: tuple[tuple[Placed[Piece | Chart], ...], ...]
    """For each sheet, the stickers and the chart with the rectangles of their boxes, in mm from the paper's upper left corner."""
    remarks: tuple[str, ...] = ()
    """Sentences on what is printed otherwise than it is shown."""

    def json(self) -> dict[str, Any]:
        """Return the number of sheets, and size and place of each sticker and of the chart in mm, as plain values."""
        placed = [
            {
                "title": "colour chart" if isinstance(each.thing, Chart) else each.thing.title,
                "sheet": number,
                **{name: round(getattr(each.box, name), 3) for name in ("left", "top", "width", "height")},
            }
            for number, sheet in enumerate(self.places, 1)
            for each in sheet
        ]
        return {"sheets": len(self.figures), "placed_mm": placed}

    def sentences(self) -> list[str]:
        """Return the size and the sheet of each sticker, a sentence each."""
        return [
            f"{each.thing.title}: {each.thing.width:.1f} × {each.thing.height:.1f} mm, on sheet {number}."
            for number, sheet in enumerate(self.places, 1)
            for each in sheet
            if isinstance(each.thing, Piece)
        ]


def print_sheets(stickers: Sequence[Sticker], plan: PrintPlan, channels: int) -> PrintSheets:
    """Draw the stickers at their true size, upright, on as many sheets as they need; the chart is on the first with room for it.

    Parameters
    ----------
    stickers
        The stickers with their content.
    plan
        Size, paper, and how they are printed.
    channels
        Channels of the image, 1 or 3.

    Raises
    ------
    GibbonError
        Nothing can be printed, or a sticker is larger than the paper or smaller than a printer's dot.
    """
    pieces, remarks = pieces_of(stickers, plan.pixel_mm, channels, smooth=plan.smooth)
    with drawing_settings():
        sheets = _arranged(pieces, plan)
        notes = note_lines(plan.paper, plan.note) if plan.note else []
        figures = tuple(_drawn(placed, plan, number, len(sheets), notes) for number, placed in enumerate(sheets, 1))
    return PrintSheets(figures, tuple(map(tuple, sheets)), remarks)


def _arranged(pieces: Sequence[Piece], plan: PrintPlan) -> list[list[Placed[Piece | Chart]]]:
    """Return the boxes of pieces and chart, sheet by sheet."""
    pad = plan.bleed + MARK_GAP_MM + MARK_MM
    room = plan.paper.room
    things: list[tuple[Piece | Chart, float, float]] = []
    for piece in pieces:
        width = max(piece.width + 2 * pad, _LEAST_LABEL)
        height = piece.height + 2 * pad + 0.5 + LINE_MM * len(label_lines(piece, width))
        if width > room.width or height > room.height:
            raise GibbonError(_too_large(piece, plan, pad, height - piece.height))
        things.append((piece, width, height))
    if plan.chart:
        chart = chart_of(plan.palette)
        if chart.width > room.width or chart.height > room.height:
            raise GibbonError(f"{plan.paper.title} with a margin of {plan.paper.margin:g} mm has no room for the colour chart.")
        things.append((chart, chart.width, chart.height))
    return [[_inner(placed, pad) for placed in sheet] for sheet in arranged(things, room, _GAP)]


def _inner(placed: Placed[Piece | Chart], pad: float) -> Placed[Piece | Chart]:
    """Return the box of the thing itself within the place that it takes with its marks."""
    thing = placed.thing
    if isinstance(thing, Chart):
        return placed
    return Placed(thing, Box(placed.box.left + pad, placed.box.top + pad, thing.width, thing.height))


def _too_large(piece: Piece, plan: PrintPlan, pad: float, around: float) -> str:
    room, size = plan.paper.room, f"{piece.width:.1f} × {piece.height:.1f} mm"
    fitting = min((room.width - 2 * pad) / piece.width, (room.height - around) / piece.height)
    others = [Paper(name, landscape, plan.paper.margin) for name in PAPERS for landscape in (False, True)]
    larger = [paper for paper in others if _fits(piece, paper, pad, around)]
    cure = f"Choose {larger[0].title}, or make" if larger else "Make"
    most = f"{math.floor(10 * fitting * plan.pixel_mm * plan.image[0]) / 10:g}"  # rounded down, so that it fits
    return (
        f"“{piece.title}” is {size} at this size, but {plan.paper.title} has room for {room.width - 2 * pad:.0f} × "
        f"{room.height - around:.0f} mm. {cure} the image at most {most} mm wide."
    )


def _fits(piece: Piece, paper: Paper, pad: float, around: float) -> bool:
    return piece.width + 2 * pad <= paper.room.width and piece.height + around <= paper.room.height


def _drawn(placed: Sequence[Placed[Piece | Chart]], plan: PrintPlan, number: int, count: int, notes: Sequence[str]) -> Figure:
    sheet = Sheet(plan.paper)
    draw_surround(sheet, plan.title, f"{plan.paper.title}, sheet {number} of {count}. Print at 100 %, not fitted to the page.", notes)
    pad = plan.bleed + MARK_GAP_MM + MARK_MM
    for each in placed:
        if isinstance(each.thing, Chart):
            draw_chart(sheet, each.thing, each.box)
        else:
            label = label_lines(each.thing, max(each.thing.width + 2 * pad, _LEAST_LABEL))
            draw_piece(sheet, each.thing, each.box, bleed=plan.bleed, smooth=plan.smooth, label=label)
    return finished(sheet)
