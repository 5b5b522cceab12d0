"""The colour chart: patches of known values in a black frame, printed beside the stickers and found again in a photograph of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.figures.page import Box
from engine.stickers.printable import palette_of

Rgb = tuple[int, int, int]
COLUMNS = 6
FRAME_MM = 1.0
"""Width of the black frame, whose outer corners are those of the chart."""
PATCH_MM = 11.0
PITCH_MM = (13.0, 14.5)
"""Distance of two patches across and down; below each is its value."""
_PAD_MM = 2.0
_GREYS = tuple(51 * step for step in range(6))
_PRIMARIES: tuple[tuple[str, Rgb], ...] = (
    ("red", (255, 0, 0)),
    ("yellow", (255, 255, 0)),
    ("green", (0, 255, 0)),
    ("cyan", (0, 255, 255)),
    ("blue", (0, 0, 255)),
    ("magenta", (255, 0, 255)),
)
_MUTED: tuple[tuple[str, Rgb], ...] = (
    ("light skin", (194, 150, 130)),
    ("dark skin", (115, 82, 68)),
    ("sky", (98, 122, 157)),
    ("foliage", (87, 108, 67)),
    ("orange", (214, 126, 44)),
    ("violet", (94, 60, 108)),
)
"""Six of the natural colours of McCamy, Marcus and Davidson 1976, A color-rendition chart, in sRGB."""


@dataclass(frozen=True)
class Patch:
    """One patch of the chart, a square of one colour."""

    name: str
    rgb: Rgb
    """Red, green and blue from 0 to 255, in sRGB."""

    @property
    def code(self) -> str:
        """The value in hexadecimal digits, as #RRGGBB."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)


@dataclass(frozen=True)
class Chart:
    """Rows of patches: a ramp of greys, the primaries, natural colours and, where the content was held to a palette, its colours."""

    rows: tuple[tuple[Patch, ...], ...]

    @property
    def patches(self) -> tuple[Patch, ...]:
        """All patches, row by row from the top."""
        return tuple(patch for row in self.rows for patch in row)

    @property
    def values(self) -> Tensor:
        """The patches' values ``(P, 3)`` in [0, 1]."""
        return torch.tensor([patch.rgb for patch in self.patches], dtype=torch.float64) / 255

    @property
    def width(self) -> float:
        """Width between the outer edges of the frame, in mm."""
        return 2 * (FRAME_MM + _PAD_MM) + (COLUMNS - 1) * PITCH_MM[0] + PATCH_MM

    @property
    def height(self) -> float:
        """Height between the outer edges of the frame, in mm."""
        return 2 * (FRAME_MM + _PAD_MM) + len(self.rows) * PITCH_MM[1] - 0.5

    def boxes(self) -> Iterator[tuple[Patch, Box]]:
        """Yield each patch with its rectangle in mm from the chart's upper left corner."""
        begin = FRAME_MM + _PAD_MM
        for down, row in enumerate(self.rows):
            for across, patch in enumerate(row):
                yield patch, Box(begin + across * PITCH_MM[0], begin + down * PITCH_MM[1], PATCH_MM, PATCH_MM)


def chart_of(palette: str = "") -> Chart:
    """Return the chart for content held to a palette, in the form of `engine.stickers.printable.palette_of`; empty: no palette.

    Up to six of the palette's colours are shown, spread evenly over it.
    """
    greys = tuple(Patch(f"grey {level}", (level, level, level)) for level in _GREYS)
    rows = [greys, tuple(Patch(*each) for each in _PRIMARIES), tuple(Patch(*each) for each in _MUTED)]
    if palette.strip():
        rows.append(_palette_row(palette))
    return Chart(tuple(rows))


def _palette_row(palette: str) -> tuple[Patch, ...]:
    colours = palette_of(palette)
    count = min(COLUMNS, len(colours))
    chosen = [colours[round(place * (len(colours) - 1) / max(1, count - 1))] for place in range(count)]
    return tuple(Patch(f"palette {number}", _levels(colour)) for number, colour in enumerate(chosen, 1))


def _levels(colour: tuple[float, float, float]) -> Rgb:
    red, green, blue = (round(255 * value) for value in colour)
    return red, green, blue
