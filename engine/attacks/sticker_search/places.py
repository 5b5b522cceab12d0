"""The places of a landscape: a grid of centres, several sizes and angles at each, and the order in which they are tried."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.stickers.frames import outer_box

_COARSE = 6
"""Largest number of places along a side of the first, coarse map."""


@dataclass(frozen=True, eq=False)
class Places:
    """Frames of every combination of a size, an angle and a place, in the order in which they are tried."""

    frames: Tensor
    """``(K, rows, columns, 5)`` float64: K combinations of size and angle at every centre."""
    inside: Tensor
    """Whether the frame lies on the region, ``(R, K, rows, columns)`` bool; R is 1 where all images share a region."""
    order: Tensor
    """Indices into ``K * rows * columns``, a coarse grid of centres first, then finer ones; without frames that lie on no region."""
    left: Tensor
    """The pixels' nearest column of centres, ``(W,)`` int64; -1 where there is none within half a stride."""
    top: Tensor
    """The pixels' nearest row of centres, ``(H,)``."""

    @classmethod
    def of(cls, allowed: Tensor, size: tuple[float, float], sizes: list[float], angles: list[float], stride: int) -> Places:
        """Return the places of a sticker of ``size`` (width, height) times each of ``sizes``, at each of ``angles`` in degrees.

        Parameters
        ----------
        allowed
            The region, ``(R, H, W)`` bool.
        size, sizes, angles, stride
            In pixels, factors, degrees, and pixels between two centres.

        Raises
        ------
        GibbonError
            No place lies on the region.
        """
        high, wide = allowed.shape[1:]
        width, height = size
        xs = [width / 2 + place for place in range(0, int(wide - width) + 1, stride)]
        ys = [height / 2 + place for place in range(0, int(high - height) + 1, stride)]
        if not xs or not ys:
            raise GibbonError(f"A sticker of {width:g} × {height:g} pixels is larger than the image of {wide} × {high}. Make it smaller.")
        frames, inside = [], []
        sums = torch.nn.functional.pad(allowed.int().cumsum(1).cumsum(2), (1, 0, 1, 0))
        for factor, angle in product(sizes, angles):
            across, down = (max(1, round(side * factor)) for side in size)
            left, top, right, bottom = outer_box(0, 0, across, down, angle)
            outer = right - left, bottom - top
            lefts, tops = (
                torch.tensor([math.floor(centre - side / 2 + 0.5) for centre in centres])
                for centres, side in ((xs, outer[0]), (ys, outer[1]))
            )
            y, x = torch.meshgrid(tops, lefts, indexing="ij")
            ends = x.double() + (outer[0] - across) / 2, y.double() + (outer[1] - down) / 2
            rest = [torch.full_like(ends[0], value) for value in (across, down, angle)]
            frames.append(torch.stack([*ends, *rest], -1))
            fits = (x >= 0) & (y >= 0) & (x + outer[0] <= wide) & (y + outer[1] <= high)
            (x0, y0), (x1, y1) = (((x + dx).clamp(0, wide), (y + dy).clamp(0, high)) for dx, dy in ((0, 0), outer))
            within = sums[:, y1, x1] - sums[:, y0, x1] - sums[:, y1, x0] + sums[:, y0, x0]
            inside.append((within == outer[0] * outer[1]) & fits)
        on = torch.stack(inside, 1)
        if not bool(on.flatten(1).any(1).all()):
            raise GibbonError(
                f"A sticker of {width:g} × {height:g} pixels does not fit into the region. Draw a larger region, or make it smaller."
            )
        order = _coarse_first(len(frames), len(ys), len(xs))
        order = order[on.any(0).flatten()[order]]
        near = (_nearest(xs, wide, stride), _nearest(ys, high, stride))
        return cls(torch.stack(frames), on, order, *near)

    def over_image(self, values: Tensor) -> Tensor:
        """Return values ``(N, rows, columns)`` over the image, ``(N, H, W)``: at each pixel that of the nearest centre.

        A value that is not known yet, NaN, is taken from the coarser grid.
        """
        step, known = _first_step(*values.shape[1:]), torch.full_like(values, torch.nan)
        while step >= 1:
            blocks = values[:, ::step, ::step].repeat_interleave(step, 1).repeat_interleave(step, 2)
            blocks = blocks[:, : values.shape[1], : values.shape[2]]
            known, step = torch.where(blocks.isnan(), known, blocks), step // 2
        image = known[:, self.top.clamp(min=0)][:, :, self.left.clamp(min=0)]
        return image.masked_fill(((self.top < 0)[:, None] | (self.left < 0)[None, :]), torch.nan)


def _first_step(rows: int, columns: int) -> int:
    """Return the distance of the centres of the coarse map, in places: a power of two."""
    step = 1
    while math.ceil(max(rows, columns) / step) > _COARSE:
        step *= 2
    return step


def _coarse_first(combinations: int, rows: int, columns: int) -> Tensor:
    """Return the indices of all places, those of the coarse grid first, then of finer and finer ones."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    step, level = _first_step(rows, columns), torch.zeros(rows, columns, dtype=torch.long)
    while step > 1:
        level += ((y % step != 0) | (x % step != 0)).long()
        step //= 2
    return level.expand(combinations, -1, -1).flatten().argsort(stable=True)


def _nearest(centres: list[float], side: int, stride: int) -> Tensor:
    """Return the index of the nearest centre for the middle of each pixel, -1 where it is further than half a stride away."""
    away = ((torch.arange(side, dtype=torch.float64) + 0.5)[:, None] - torch.tensor(centres, dtype=torch.float64)).abs()
    found = away.min(1)
    return torch.where(found.values <= max(stride / 2, 0.5), found.indices, -1)
