"""Paper, and lengths on it in mm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from engine.errors import GibbonError
from engine.figures.page import Box
from engine.text.parsing import named

PaperName = Literal["a4", "a3", "letter"]
PAPERS: dict[PaperName, tuple[float, float]] = {"a4": (210.0, 297.0), "a3": (297.0, 420.0), "letter": (215.9, 279.4)}
"""Width and height of each paper in mm, upright."""
TITLES: dict[PaperName, str] = {"a4": "A4", "a3": "A3", "letter": "Letter"}
DOT_MM = 25.4 / 600
"""A printer's dot at 600 dots per inch, in mm: nothing smaller can be printed."""
HEAD_MM, FOOT_MM = 12.0, 18.0
"""Height of the bands for the title above and for the scale below the stickers, which hold the fiducials, too."""
LEAST_MARGIN, MOST_MARGIN = 0.0, 60.0


@dataclass(frozen=True)
class Paper:
    """A sheet of paper.

    Raises
    ------
    GibbonError
        The paper is unknown, or the margin is no length that leaves room.
    """

    name: PaperName = "a4"
    landscape: bool = False
    margin: float = 10.0
    """Width in mm of the edge that stays empty on all sides, since few printers print there."""

    def __post_init__(self) -> None:
        if self.name not in PAPERS:
            raise GibbonError(f"There is no paper {named(self.name)} here. Choose among {', '.join(get_args(PaperName))}.")
        margin = length(self.margin, "The margin")
        if not LEAST_MARGIN <= margin <= MOST_MARGIN:
            raise GibbonError(f"A margin of {margin:g} mm is not possible. Choose {LEAST_MARGIN:g} to {MOST_MARGIN:g} mm.")

    @property
    def width(self) -> float:
        """Width of the sheet in mm, as it lies."""
        return PAPERS[self.name][1 if self.landscape else 0]

    @property
    def height(self) -> float:
        """Height of the sheet in mm, as it lies."""
        return PAPERS[self.name][0 if self.landscape else 1]

    @property
    def title(self) -> str:
        """Name for people, such as “A4 portrait”."""
        return f"{TITLES[self.name]} {'landscape' if self.landscape else 'portrait'}"

    @property
    def room(self) -> Box:
        """The rectangle for the stickers, between title and scale."""
        return Box(self.margin, self.margin + HEAD_MM, self.width - 2 * self.margin, self.height - 2 * self.margin - HEAD_MM - FOOT_MM)


def length(value: object, what: str) -> float:
    """Return a length in mm.

    Raises
    ------
    GibbonError
        It is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise GibbonError(f"{what} is {named(value)}, which is no length. Give a number of mm.")
    return float(value)


def positive(value: object, what: str) -> float:
    """Return a length above 0, in mm.

    Raises
    ------
    GibbonError
        It is no finite number, or not above 0.
    """
    number = length(value, what)
    if number <= 0:
        raise GibbonError(f"{what} is {number:g} mm. Give a length above 0.")
    return number


A4 = Paper()
"""A4 upright, with the usual margin."""
