"""The window's colour maps, equal to matplotlib's: RdBu_r around zero (berlin in the dark), magma for saliency, else viridis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.uint8]
Values = npt.NDArray[np.floating]

_RED_BLUE = (
    (5, 48, 97), (32, 101, 171), (67, 147, 195), (144, 196, 221), (209, 229, 240), (247, 246, 246),
    (253, 219, 199), (243, 164, 129), (214, 96, 77), (177, 24, 43), (103, 0, 31),
)  # fmt: skip
_MAGMA = (
    (0, 0, 4), (10, 8, 34), (29, 17, 71), (54, 16, 107), (81, 18, 124), (106, 28, 129), (131, 38, 129), (156, 46, 127), (183, 55, 121),
    (208, 65, 111), (231, 82, 99), (245, 107, 92), (252, 137, 97), (254, 167, 114), (254, 196, 136), (253, 226, 163), (252, 253, 191),
)  # fmt: skip
_VIRIDIS = (
    (68, 1, 84), (72, 26, 108), (71, 47, 125), (65, 68, 135), (57, 86, 140), (49, 104, 142), (42, 120, 142), (35, 136, 142), (31, 152, 139),
    (34, 168, 132), (53, 183, 121), (84, 197, 104), (122, 209, 81), (165, 219, 54), (210, 226, 27), (253, 231, 37),
)  # fmt: skip


_DARK_RED_BLUE = (
    (75, 155, 205), (55, 135, 176), (44, 115, 148), (36, 93, 120), (28, 72, 93), (21, 54, 69), (17, 35, 45), (17, 21, 25), (25, 12, 9),
    (37, 12, 1), (51, 15, 0), (68, 19, 1), (86, 26, 5), (111, 41, 19), (136, 61, 40), (158, 81, 63), (182, 104, 90),
)  # fmt: skip
"""Berlin, by F. Crameri, without its palest ends: blue is negative, black zero, red positive."""


def _table(stops: tuple[tuple[int, int, int], ...]) -> Colours:
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(np.linspace(0, 1, 256), places, [stop[i] for stop in stops]) for i in range(3)]
    return np.stack(channels, 1).round().astype(np.uint8)


DIVERGING = _table(_RED_BLUE)
"""RdBu_r ``(256, 3)``: blue is negative, white zero, red positive."""
DARK_DIVERGING = _table(_DARK_RED_BLUE)
"""Berlin ``(256, 3)``, for dark themes, where a white zero would glare: blue is negative, black zero, red positive."""
MAGMA = _table(_MAGMA)
"""Magma ``(256, 3)``: black is zero."""
VIRIDIS = _table(_VIRIDIS)
"""Viridis ``(256, 3)``: for probabilities and other scores."""
GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
"""Grey levels ``(256, 3)``."""
UNKNOWN = 128
"""The grey of infinite values and NaN, which is in no table but `GREY`."""


def diverging_table(dark: bool) -> Colours:
    """Return the table of signed values for a light or a dark theme."""
    return DARK_DIVERGING if dark else DIVERGING


def diverging(values: Values, limit: float, dark: bool = False) -> Colours:
    """Return colours ``(..., 3)`` of signed values on the scale from -limit to limit; infinite values and NaN are grey."""
    return _painted(diverging_table(dark), values, np.clip(values / limit, -1, 1) * 127.5 + 127.5)


def sequential(values: Values, limit: float) -> Colours:
    """Return colours ``(..., 3)`` of values on the scale from 0 to limit, in magma; infinite values and NaN are grey."""
    return _painted(MAGMA, values, np.clip(values / limit, 0, 1) * 255)


def on_viridis(values: Values, low: float, high: float) -> Colours:
    """Return colours ``(..., 3)`` of values on the scale from low to high, in viridis; infinite values and NaN are grey."""
    return _painted(VIRIDIS, values, np.clip((values - low) / max(high - low, 1e-30), 0, 1) * 255)


def _painted(table: Colours, values: Values, places: Values) -> Colours:
    """Return a table's colours at ``places`` in 0 to 255, and grey for infinite values and NaN."""
    known = np.isfinite(values)
    colours: Colours = table[np.where(known, places, 0).round().astype(np.uint8)]
    colours[~known] = UNKNOWN
    return colours


def around_grey(values: Values, limit: float) -> Colours:
    """Map each channel of ``(H, W, 3)`` to 0 to 255: -limit becomes 0, zero middle grey, limit 255."""
    colours: Colours = (np.clip(values / limit, -1, 1) * 127.5 + 127.5).round().astype(np.uint8)
    return colours
