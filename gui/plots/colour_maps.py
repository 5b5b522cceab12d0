"""The colour maps of the window, as matplotlib has them in the exported figures: RdBu_r around zero, magma for saliency, viridis else."""

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


def _table(stops: tuple[tuple[int, int, int], ...]) -> Colours:
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(np.linspace(0, 1, 256), places, [stop[i] for stop in stops]) for i in range(3)]
    return np.stack(channels, 1).round().astype(np.uint8)


DIVERGING = _table(_RED_BLUE)
"""``(256, 3)``: blue is negative, white zero, red positive."""
MAGMA = _table(_MAGMA)
"""``(256, 3)``: black is zero."""
VIRIDIS = _table(_VIRIDIS)
"""``(256, 3)``: probabilities and other scores."""
GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
"""``(256, 3)``."""
UNKNOWN = 128
"""The grey of a value that is no number: no colour of any scale but `GREY`."""


def diverging(values: Values, limit: float) -> Colours:
    """Colours ``(..., 3)`` of signed values on the fixed scale from -limit to limit; a value that is no number is grey."""
    return _painted(DIVERGING, values, np.clip(values / limit, -1, 1) * 127.5 + 127.5)


def sequential(values: Values, limit: float) -> Colours:
    """Colours ``(..., 3)`` of values from 0 to limit; a value that is no number is grey."""
    return _painted(MAGMA, values, np.clip(values / limit, 0, 1) * 255)


def between(values: Values, low: float, high: float) -> Colours:
    """Colours ``(..., 3)`` of values from low to high, on viridis; a value that is no number is grey."""
    return _painted(VIRIDIS, values, np.clip((values - low) / max(high - low, 1e-30), 0, 1) * 255)


def _painted(table: Colours, values: Values, places: Values) -> Colours:
    """The colours of a table at ``places`` in 0 to 255; infinite values and NaN have no place on a scale."""
    known = np.isfinite(values)
    colours: Colours = table[np.where(known, places, 0).round().astype(np.uint8)]
    colours[~known] = UNKNOWN
    return colours


def around_grey(values: Values, limit: float) -> Colours:
    """Each channel of ``(H, W, 3)`` by itself: -limit is 0, zero is middle grey, limit is 255."""
    colours: Colours = (np.clip(values / limit, -1, 1) * 127.5 + 127.5).round().astype(np.uint8)
    return colours
