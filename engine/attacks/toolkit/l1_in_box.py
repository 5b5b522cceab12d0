"""The L1 ball cut by the pixels' range: its nearest points, its steepest step, and a step spread over the largest part of a gradient.

A step that puts all of its length on the value of the largest gradient is the steepest of the L1 ball alone. Few values can take it: a
pixel ends at 0 or 1, and where it has ended the step is lost. The functions here respect the range that ``[0, 1]`` leaves every value.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.attacks.toolkit.directions import quantiles

L1Step = Literal["spread", "one value"]
"""Distribution of a step's length in L1: over several values that can move, or all on the largest gradient even where it cannot move."""
_CORRECTIONS = 2
"""Newton corrections of the level: running sums over a photograph's values lose digits in float32."""
_AT_ITS_END = 1e-6
"""Distance from the end of its range at which a value counts as at the end."""


@torch.no_grad()
def nearest_in_both(delta: Tensor, eps: float | Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return the nearest point of ``{d : sum |d| <= eps, low <= d <= high}`` to ``delta``, row by row.

    It is ``sign(delta) * min(max(|delta| - level, 0), room)``, with ``room`` the range on the side of ``delta`` and the smallest ``level >=
    0`` at which the sum is at most ``eps``. The sum is piecewise linear in the level and bends where a value leaves its range or reaches 0,
    so one sort of these places finds it. Croce, Hein 2021, arXiv 2103.01208, proposition 2.1.

    Parameters
    ----------
    delta
        ``(N, C, H, W)``.
    eps
        The radius, in pixel units, or one for each row, ``(N,)``.
    low, high
        Ranges of the shape of ``delta``, with ``low <= 0 <= high``.
    """
    flat, eps = delta.flatten(1), _radius(eps, delta)
    size, room = flat.abs(), torch.where(flat < 0, -low.flatten(1), high.flatten(1))
    places = torch.cat([size, (size - room).clamp_min(0)], 1)
    bends = torch.cat([torch.ones_like(size), -torch.ones_like(size)], 1)
    places, order = places.sort(dim=1, descending=True)
    slope = bends.gather(1, order).cumsum(1)
    # From the largest place down, the sum at a level is that of bends * (place - level) over the places above it.
    weighted = (bends.gather(1, order) * places).cumsum(1)
    before = ((weighted - slope * places < eps).sum(1, keepdim=True) - 1).clamp_min(0)
    level = ((weighted.gather(1, before) - eps) / slope.gather(1, before).clamp_min(1)).clamp_min(0)
    inside = torch.minimum(size, room).sum(1, keepdim=True) <= eps
    for _ in range(_CORRECTIONS):
        kept = torch.minimum((size - level).clamp_min(0), room)
        moving = ((kept > 0) & (kept < room)).sum(1, keepdim=True).clamp_min(1)
        level = (level + (kept.sum(1, keepdim=True) - eps) / moving).clamp_min(0)
    kept = torch.minimum((size - torch.where(inside, 0.0, level)).clamp_min(0), room)
    # A slightly too long point is scaled down, which keeps it in the box.
    kept = kept * (eps / torch.maximum(kept.sum(1, keepdim=True), eps))
    return (kept * flat.sign()).view_as(delta)


@torch.no_grad()
def steepest_in_both(gradient: Tensor, eps: float | Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return ``argmax_d <d, gradient>`` over ``{d : sum |d| <= eps, low <= d <= high}``: values go to their end, largest gradient first.

    Parameters
    ----------
    gradient, low, high
        ``(N, C, H, W)``, with ``low <= 0 <= high``. A value without a gradient stays.
    eps
        The radius, in pixel units, or one for each row, ``(N,)``.
    """
    flat = gradient.flatten(1)
    room = torch.where(flat < 0, -low.flatten(1), high.flatten(1)) * (flat != 0)
    order = flat.abs().argsort(dim=1, descending=True, stable=True)
    ordered = room.gather(1, order)
    taken = torch.minimum(ordered, (_radius(eps, gradient) - (ordered.cumsum(1) - ordered)).clamp_min(0))
    return (torch.zeros_like(flat).scatter(1, order, taken) * flat.sign()).view_as(gradient)


@torch.no_grad()
def free_to_follow(gradient: Tensor, delta: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return ``gradient`` with zeros at values of ``delta`` that are already at the end it points to."""
    up, down = (delta >= high - _AT_ITS_END) & (gradient > 0), (delta <= low + _AT_ITS_END) & (gradient < 0)
    return gradient.masked_fill(up | down, 0)


@torch.no_grad()
def spread(gradient: Tensor, share: float, mask: Tensor | None = None) -> Tensor:
    """Return a step of L1 length 1: ``sign(gradient)`` over the largest ``share`` of ``|gradient|``, each value by the same amount.

    Tramèr, Boneh 2019, arXiv 1904.13000 (sparse L1 descent). With a ``mask`` ``(N or 1, 1, H, W)`` the share refers to the values where it
    is above 0. At least one value moves, unless the gradient is zero.
    """
    flat = gradient.flatten(1)
    inside = None if mask is None else (mask > 0).expand(-1, *gradient.shape[1:]).flatten(1)
    threshold = quantiles(flat.abs(), 1 - share, inside)
    return over_its_count(flat.sign() * (flat.abs() >= threshold[:, None])).view_as(gradient)


def over_its_count(signs: Tensor) -> Tensor:
    """Divide rows of ``(N, n)`` with entries -1, 0 and 1 by the number of their nonzero entries."""
    return signs / signs.abs().sum(1, keepdim=True).clamp_min(1)


def _radius(eps: float | Tensor, like: Tensor) -> Tensor:
    return torch.as_tensor(eps, dtype=like.dtype, device=like.device).reshape(-1, 1)
