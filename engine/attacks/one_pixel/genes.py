"""The ranges of the genes of painted pixels, and their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.attacks.toolkit.evolution import reflected, resampled
from engine.operation import Problem

Repair = Literal["reflect", "resample"]


@dataclass(frozen=True, eq=False)
class Space:
    """The range of genes ``(n, P, d, 2 + C)`` of d pixels: row and column within the image or its mask, and levels below 256."""

    low: Tensor
    """Lower limits of the genes, ``(n, 1, 1, 2 + C)``."""
    high: Tensor
    allowed: Tensor
    """Pixels inside the mask, ``(n, H * W)`` bool."""
    order: Tensor
    """Indices of the pixels, allowed ones first, ``(n, H * W)``."""
    masked: bool

    @classmethod
    def of(cls, problem: Problem) -> Space:
        """Return the space of every image of a problem."""
        images, mask = problem.images, problem.mask
        n, channels, height, width = images.shape
        allowed = torch.ones_like(images[:, 0]) > 0 if mask is None else (mask > 0).expand(n, -1, -1, -1)[:, 0]
        low = torch.zeros(n, 2 + channels, device=images.device, dtype=images.dtype)
        high = torch.full_like(low, 256)
        for axis, size in enumerate((height, width)):
            there = allowed.any(2 - axis).int()  # rows for axis 0, columns for axis 1
            low[:, axis] = there.argmax(1).to(low)
            high[:, axis] = size - there.flip(1).argmax(1).to(low)
        flat = allowed.flatten(1)
        order = (~flat).int().argsort(dim=1, stable=True)
        return cls(low[:, None, None], high[:, None, None], flat, order, mask is not None)

    def select(self, rows: Tensor) -> Space:
        """Return the space of some rows."""
        return Space(self.low[rows], self.high[rows], self.allowed[rows], self.order[rows], self.masked)

    def start(self, problem: Problem, members: int, pixels: int, repair: Repair) -> Tensor:
        """Draw a population with uniform places and levels from N(128, 127)."""
        shape = (members, pixels, 2 + problem.images.shape[1])
        even = self.low + problem.random.uniform(shape).to(self.low) * (self.high - self.low)
        levels = 128 + 127 * problem.random.normal(shape).to(self.low)
        return self.repaired(torch.cat([even[..., :2], levels[..., 2:]], dim=-1), problem, repair)

    def repaired(self, genes: Tensor, problem: Problem, repair: Repair) -> Tensor:
        """Repair genes outside their range, and draw places outside the mask again."""
        if repair == "reflect":
            genes = reflected(genes, self.low, self.high)
        else:
            genes = resampled(genes, self.low, self.high, problem.random.uniform(genes.shape[1:]).to(genes))
        if not self.masked:
            return genes
        width, places = problem.images.shape[3], self.places(genes, problem)
        draws = problem.random.uniform(places.shape[1:]).to(genes).flatten(1)
        counts = self.allowed.sum(1, keepdim=True)
        drawn = self.order.gather(1, (draws * counts).long().minimum(counts - 1)).view_as(places)
        anew = torch.stack([drawn // width, drawn % width], dim=-1) + 0.5
        inside = self.allowed.gather(1, places.flatten(1)).view_as(places)
        return torch.cat([torch.where(inside[..., None], genes[..., :2], anew.to(genes)), genes[..., 2:]], dim=-1)

    def places(self, genes: Tensor, problem: Problem) -> Tensor:
        """Return ``row * W + column`` of every pixel, ``(n, P, d)`` int64."""
        height, width = problem.images.shape[2:]
        row, column = genes[..., 0].long(), genes[..., 1].long()  # a gene folded exactly to its upper end would exceed the last index
        return row.clamp(0, height - 1) * width + column.clamp(0, width - 1)

    def colours(self, genes: Tensor) -> Tensor:
        """Return levels of 8 bits as colours in [0, 1], ``(n, P, d, C)``."""
        return genes[..., 2:].floor().clamp(0, 255) / 255
