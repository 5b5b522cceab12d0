"""Places on sheets: rows of rectangles from the tallest to the lowest, on as many sheets as they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.figures.page import Box

T = TypeVar("T")
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Placed(Generic[T]):
    """One thing with its rectangle on a sheet."""

    thing: T
    box: Box


def arranged(things: Sequence[tuple[T, float, float]], room: Box, gap: float) -> list[list[Placed[T]]]:
    """Return a list of placed things for each sheet.

    A row is as high as its first thing, which is its tallest; a thing that no longer fits beside the others begins a row, and one that no
    longer fits below them a sheet.

    Parameters
    ----------
    things
        Things with their width and height in mm, each of which fits into ``room``.
    room
        The rectangle of a sheet that may be used.
    gap
        Distance between things, in mm.
    """
    sheets: list[list[Placed[T]]] = []
    left = top = row = 0.0
    for thing, width, height in sorted(things, key=lambda each: -each[2]):
        if sheets and left + width > room.width + _SLACK:
            left, top, row = 0.0, top + row + gap, 0.0
        if not sheets or top + height > room.height + _SLACK:
            sheets.append([])
            left, top, row = 0.0, 0.0, 0.0
        sheets[-1].append(Placed(thing, Box(room.left + left, room.top + top, width, height)))
        left, row = left + width + gap, max(row, height)
    return sheets
