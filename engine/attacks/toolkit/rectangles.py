"""The few rectangles that hold most of a heat map."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_CELLS = 64
"""Largest number of rows or columns that are searched: larger maps are searched in cells of several pixels."""
_RAISE, _MOST_RAISES = 1.3, 60


class Rectangle(NamedTuple):
    """Rows from ``top`` to ``bottom`` and columns from ``left`` to ``right``, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


def hottest_rectangles(heat: Tensor, allowed: Tensor, count: int, area: float) -> list[Rectangle]:
    """Return at most ``count`` disjoint rectangles of allowed pixels, the hottest first, that together cover at most ``area`` of these.

    Each is the rectangle with the largest sum of ``heat - threshold`` among the pixels that are left. The threshold is the mean
    heat, or the heat above which a share ``area`` of the pixels lies, if that is more; it rises where the rectangle would be larger than
    what is left of the area.

    Parameters
    ----------
    heat
        Values that are not negative, ``(H, W)`` on the CPU.
    allowed
        Pixels that may be covered, ``(H, W)`` bool.
    count
        Number of rectangles.
    area
        Largest share of the allowed pixels in all rectangles, above 0.
    """
    cell = math.ceil(max(heat.shape) / _CELLS)
    warm, free = _in_cells(torch.where(allowed, heat, 0).double(), cell), ~_in_cells((~allowed).double(), cell).bool()
    if not bool((warm[free] > 0).any()):
        return []
    budget, least = max(1, math.floor(area * int(free.sum()))), float(torch.maximum(warm[free].mean(), warm[free].quantile(1 - area)))
    found = list[Rectangle]()
    while len(found) < count and budget > 0:
        threshold = least
        for _ in range(_MOST_RAISES):
            gain, best = _largest_sum(torch.where(free, warm - threshold, -torch.inf))
            if gain <= 0 or (best.bottom - best.top) * (best.right - best.left) <= budget:
                break
            threshold *= _RAISE
        else:
            break
        if gain <= 0:
            break
        free[best.top : best.bottom, best.left : best.right] = False
        budget -= (best.bottom - best.top) * (best.right - best.left)
        height, width = heat.shape
        found.append(Rectangle(best.top * cell, min(best.bottom * cell, height), best.left * cell, min(best.right * cell, width)))
    return found


def as_mask(rectangles: list[Rectangle], height: int, width: int) -> Tensor:
    """Return the mask ``(1, H, W)`` that is 1 inside the rectangles."""
    mask = torch.zeros(1, height, width)
    for one in rectangles:
        mask[:, one.top : one.bottom, one.left : one.right] = 1
    return mask


def _in_cells(values: Tensor, cell: int) -> Tensor:
    """Return the sums over cells; a cell at the lower or right edge may be smaller."""
    height, width = values.shape
    padded = F.pad(values, (0, -width % cell, 0, -height % cell))
    return F.avg_pool2d(padded[None, None], cell)[0, 0] * cell**2


def _largest_sum(values: Tensor) -> tuple[float, Rectangle]:
    """Return the largest sum of a rectangle of ``values`` ``(H, W)``, where -inf is never inside, and the rectangle.

    For every pair of rows the sums of the columns between them are a sequence, whose best interval is the largest difference of two of its
    running sums.
    """
    height, width = values.shape
    solid = values.isfinite()
    low = -(float(values[solid].abs().sum()) + 1) * 2 if bool(solid.any()) else -1.0
    rows = F.pad(torch.where(solid, values, low).cumsum(0), (0, 0, 1, 0))
    top, bottom = torch.triu_indices(height + 1, height + 1, offset=1)
    running = F.pad((rows[bottom] - rows[top]).cumsum(1), (1, 0))
    smallest, place = running[:, :-1].cummin(1)
    gains = running[:, 1:] - smallest
    best = int(gains.argmax())
    pair, right = divmod(best, width)
    return float(gains[pair, right]), Rectangle(int(top[pair]), int(bottom[pair]), int(place[pair, right]), right + 1)
