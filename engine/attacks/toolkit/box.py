"""Where each pixel may be: what [0, 1] and the mask leave it."""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor


class Box(NamedTuple):
    """``[max(0, images - mask), min(1, images + mask)]``, all of [0, 1] without a mask; where the mask is 0 the images' own bits."""

    low: Tensor
    """``(N, C, H, W)``. Not to be written into: without a mask one number in memory stands for all."""
    high: Tensor
    """``(N, C, H, W)``, likewise."""

    @classmethod
    def around(cls, images: Tensor, mask: Tensor | None, eps: float | Tensor | None = None) -> Self:
        """The box around ``images`` ``(N, C, H, W)`` with a mask ``(N or 1, 1, H, W)``; an ``eps`` is taken times the mask."""
        if mask is None and eps is None:
            return cls(images.new_zeros(()).expand_as(images), images.new_ones(()).expand_as(images))
        reach = (1.0 if eps is None else eps) * (1.0 if mask is None else mask)
        return cls((images - reach).clamp_min(0), (images + reach).clamp_max(1))

    def select(self, rows: Tensor) -> Self:
        """The box of some rows."""
        return type(self)(self.low[rows], self.high[rows])

    @property
    def inside(self) -> Tensor:
        """``(N, C, H, W)`` bool: values that may change."""
        return self.low < self.high

    def clamp(self, images: Tensor) -> Tensor:
        """The nearest images of the box to ``images`` ``(N, C, H, W)``, or to several of each, ``(B, N, C, H, W)``."""
        return images.clamp(self.low, self.high)

    def room(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """How far down, at most 0, and how far up, at least 0, every value of ``images`` can go: ``(N, C * H * W)`` each."""
        return (self.low - images).flatten(1), (self.high - images).flatten(1)

    def farthest(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)``: how far every value can go from ``images``, whichever way is longer."""
        return torch.maximum(self.high - images, images - self.low)

    def free(self, images: Tensor, fall: Tensor) -> Tensor:
        """The gradient ``fall`` of what is to fall, without the values that already are at the side it drives them to."""
        blocked = ((images <= self.low) & (fall > 0)) | ((images >= self.high) & (fall < 0))
        return fall.masked_fill(blocked, 0)
