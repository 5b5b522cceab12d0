"""The box of an image: the range that [0, 1] and the mask allow for each pixel."""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor


class Box(NamedTuple):
    """The box ``[max(0, images - mask), min(1, images + mask)]``, all of [0, 1] without a mask; the images' bits where it is 0."""

    low: Tensor
    """Lower ends, ``(N, C, H, W)``. Read only: without a mask all share one number in memory."""
    high: Tensor
    """Upper ends, ``(N, C, H, W)``. Read only, too."""

    @classmethod
    def around(cls, images: Tensor, mask: Tensor | None, eps: float | Tensor | None = None) -> Self:
        """Return the box around ``images`` ``(N, C, H, W)`` with a mask ``(N or 1, 1, H, W)``, which multiplies an ``eps``."""
        if mask is None and eps is None:
            return cls(images.new_zeros(()).expand_as(images), images.new_ones(()).expand_as(images))
        reach = (1.0 if eps is None else eps) * (1.0 if mask is None else mask)
        return cls((images - reach).clamp_min(0), (images + reach).clamp_max(1))

    def select(self, rows: Tensor) -> Self:
        """Return the box of the given rows."""
        return type(self)(self.low[rows], self.high[rows])

    @property
    def inside(self) -> Tensor:
        """Values that may change, ``(N, C, H, W)`` bool."""
        return self.low < self.high

    def clamp(self, images: Tensor) -> Tensor:
        """Clamp ``images`` ``(N, C, H, W)``, or several of each, ``(B, N, C, H, W)``, to the box."""
        return images.clamp(self.low, self.high)

    def room(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return how far down (at most 0) and up (at least 0) every value of ``images`` can move, ``(N, C * H * W)`` each."""
        return (self.low - images).flatten(1), (self.high - images).flatten(1)

    def farthest(self, images: Tensor) -> Tensor:
        """Return the largest distance that every value can move from ``images``, ``(N, C, H, W)``."""
        return torch.maximum(self.high - images, images - self.low)

    def free(self, images: Tensor, fall: Tensor) -> Tensor:
        """Return the gradient ``fall`` of a quantity to minimise, with zeros at values that are already at the end it points to."""
        blocked = ((images <= self.low) & (fall > 0)) | ((images >= self.high) & (fall < 0))
        return fall.masked_fill(blocked, 0)
