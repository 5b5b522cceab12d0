"""Directions of a step from a gradient: steepest in a ball, divided by its largest magnitude, or truncated."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.balls import BALLS, Norm, column

DirectionName = Literal["steepest", "max", "truncated"]


def quantiles(magnitudes: Tensor, q: float, inside: Tensor | None = None) -> Tensor:
    """Return the q-quantile of each row ``(N, n)`` by rank (no interpolation): ``torch.quantile`` refuses rows above 16 million.

    ``inside`` ``(N or 1, n)`` marks the values that count; None: all.
    """
    if inside is None:
        rank = min(magnitudes.shape[1], max(1, round(q * magnitudes.shape[1])))
        return magnitudes.kthvalue(rank, dim=1).values
    ordered = magnitudes.masked_fill(~inside, -1.0).sort(dim=1).values  # sort ignored values to the front
    counts = inside.sum(1, keepdim=True).expand(len(magnitudes), 1)
    ranks = (q * counts).round().long().clamp_min(1).minimum(counts)
    return ordered.gather(1, magnitudes.shape[1] - counts + ranks - 1)[:, 0]


def direction(name: DirectionName, gradient: Tensor, norm: Norm, quantile: float, mask: Tensor | None = None) -> Tensor:
    """Return the step of length about 1 for ``gradient`` ``(N, C, H, W)``, zero where ``mask`` ``(N or 1, 1, H, W)`` is 0.

    With a mask the image is ``clean + mask * delta``, so the gradient of ``delta`` is ``mask * gradient``.

    - ``"steepest"``: ``argmax <d, gradient>`` over the unit ball of ``norm``: the sign for linf, ``gradient / ||gradient||_2`` for l2.
    - ``"max"``: ``gradient / max |gradient|`` per image, the loop of the lectures.
    - ``"truncated"``: ``clamp(gradient / q, -1, 1)``, q the ``quantile`` of ``|gradient|`` per image. Quantile 0 is the sign, 1 is
      ``"max"``.
    """
    inside = None
    if mask is not None:
        inside = (mask > 0).expand(-1, *gradient.shape[1:]).flatten(1)
        gradient = gradient * mask
    if name == "steepest":
        return gradient.sign() if norm == "linf" else BALLS[norm](1.0).steepest(gradient)
    magnitudes = gradient.flatten(1).abs()
    scale = magnitudes.amax(1) if name == "max" else quantiles(magnitudes, quantile, inside)
    # A row whose gradient is zero stays zero instead of becoming 0/0; a quantile of zero gives the sign. There is no lower limit for the
    # quantile, because gradients of confident images are about exp(-margin).
    empty = scale == 0
    steps = (gradient / column(scale.masked_fill(empty, 1), gradient)).clamp(-1, 1)
    return torch.where(empty[:, None, None, None], gradient.sign(), steps)
