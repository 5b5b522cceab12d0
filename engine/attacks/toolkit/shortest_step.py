"""The shortest step to a plane within a box."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.balls import TINY


def shortest(slope: Tensor, gain: Tensor, low: Tensor, high: Tensor, norm: Literal["l2", "linf"], rounds: int = 7) -> tuple[Tensor, Tensor]:
    """Return the shortest ``step`` with ``<slope, step> >= gain`` and ``low <= step <= high``, and its length.

    It is ``clamp(scale * slope, low, high)`` in l2 and ``clamp(scale * sign(slope), low, high)`` in linf, for the smallest ``scale`` that
    reaches the plane. The gain is concave and piecewise linear in ``scale``, so Newton's method converges from below, in as many ``rounds``
    as there are kinds of clamped pixels; it starts at DeepFool's formula for the pixels that can move at all. For a plane that the box does
    not reach the step goes to the nearest corner.

    Parameters
    ----------
    slope, low, high
        ``(..., n)``, with ``low <= 0 <= high``.
    gain
        ``(...)``, above 0.
    norm
        The norm of the length.
    rounds
        Further rounds of Newton's method; the first is exact where no pixel is clamped.

    Returns
    -------
    step
        ``(..., n)``; zero where the slope is zero.
    length
        ``(...)``: infinite where no pixel with a slope can move, NaN where the slope is NaN.
    """
    size = slope.abs()
    peak = size.amax(-1, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
    size, gain = size / peak, gain / peak[..., 0]  # the square of a small gradient would underflow
    room = torch.where(slope > 0, high, -low)
    room = torch.where(slope == 0, torch.zeros_like(room), room)
    weight = size * size if norm == "l2" else size
    rate = (weight * (room > 0)).sum(-1)
    scale = torch.where(rate > 0, gain.clamp_min(0) / rate.clamp_min(TINY), 0.0)
    for _ in range(rounds):
        reached = size * scale[..., None] if norm == "l2" else scale[..., None]
        rate = (weight * (reached < room)).sum(-1)
        missing = gain - (torch.minimum(reached, room) * size).sum(-1)
        scale = torch.where(rate > 0, scale + missing.clamp_min(0) / rate.clamp_min(TINY), scale)
    step = torch.minimum(size * scale[..., None] if norm == "l2" else scale[..., None].expand_as(room), room)
    length = torch.linalg.vector_norm(step, dim=-1) if norm == "l2" else step.amax(-1)
    return step.copysign(slope), torch.where(room.amax(-1) > 0, length, torch.inf)
