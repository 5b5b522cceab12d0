"""Ellipse: the one that touches the bounding box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.stickers.frames import to_image
from engine.stickers.raster import polygon_coverage
from engine.stickers.shapes.base import Loop, Shape

_SEGMENTS = 128
"""Number of sides of the polygon that stands for an ellipse; its area is 0.04 % less."""
_SAMPLES = 8
"""Points along each side of a pixel that the sampled edge tests."""


@final
@dataclass(frozen=True)
class Ellipse(Shape):
    """The ellipse that touches the box at the middles of its sides: ``(2u - 1)^2 + (2v - 1)^2 <= 1``."""

    kind: ClassVar[str] = "ellipse"
    title: ClassVar[str] = "ellipse"

    edge: Literal["exact", "sampled"] = "exact"
    """How pixels at the edge count. exact: the area inside a polygon of 128 sides. sampled: the share of 8 x 8 points inside, if the box is
    upright on whole pixels: earlier records were made so, and their replays stay bit-exact.
    """

    def __post_init__(self) -> None:
        if self.edge not in ("exact", "sampled"):
            raise GibbonError(f"The edge of an ellipse is {self.edge!r}. Give exact or sampled.")

    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether points satisfy the inequality of the ellipse."""
        return (2 * u - 1) ** 2 + (2 * v - 1) ** 2 <= 1

    def outlines(self) -> tuple[Loop, ...]:
        """Return a polygon of 128 corners on the ellipse."""
        angles = (2 * math.pi * number / _SEGMENTS for number in range(_SEGMENTS))
        return (tuple((0.5 + 0.5 * math.cos(angle), 0.5 + 0.5 * math.sin(angle)) for angle in angles),)

    def coverage_at(self, frames: Tensor, height: int, width: int) -> Tensor:
        """Return the area of each pixel inside the polygon of `outlines`, or the share of points inside for a sampled edge."""
        if self.edge == "sampled" and frames.dim() == 1 and not bool((frames % 1).any()) and not bool(frames[4]):
            return self._sampled([int(value) for value in frames[:4].tolist()], height, width).to(frames)
        return polygon_coverage(to_image(frames, torch.tensor(self.outlines()[0], dtype=frames.dtype)), height, width)

    def _sampled(self, box: list[int], height: int, width: int) -> Tensor:
        x, y, across, down = box
        v, u = ((torch.arange(side * _SAMPLES) + 0.5) / (side * _SAMPLES) for side in (down, across))
        inside = self.contains(u[None, :], v[:, None]).float()
        shares = inside.reshape(down, _SAMPLES, across, _SAMPLES).mean((1, 3))
        covered = torch.zeros(height, width)
        top, left, bottom, right = max(y, 0), max(x, 0), min(y + down, height), min(x + across, width)
        if top < bottom and left < right:
            covered[top:bottom, left:right] = shares[top - y : bottom - y, left - x : right - x]
        return covered
