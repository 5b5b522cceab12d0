"""Rectangle: a sticker covers its whole bounding box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from engine.stickers.frames import to_image
from engine.stickers.raster import box_coverage, polygon_coverage
from engine.stickers.shapes.base import Loop, Shape

_CORNERS: Loop = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@final
@dataclass(frozen=True)
class Rectangle(Shape):
    """The bounding box itself. On whole pixels every pixel is covered completely or not at all, so masks stay binary."""

    kind: ClassVar[str] = "rectangle"
    title: ClassVar[str] = "rectangle"

    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether points are in the unit square, without its far edges."""
        return (u >= 0) & (u < 1) & (v >= 0) & (v < 1)

    def outlines(self) -> tuple[Loop, ...]:
        """Return the four corners of the box."""
        return (_CORNERS,)

    def coverage_at(self, frames: Tensor, height: int, width: int) -> Tensor:
        """Return the area of each pixel inside the box, exactly."""
        if frames.device.type == "cpu" and not frames.requires_grad and not bool(frames[..., 4].any()):
            return box_coverage(frames[..., :4], height, width)
        return polygon_coverage(to_image(frames, torch.tensor(_CORNERS)), height, width)

    @property
    def fills_its_box(self) -> bool:
        """True, since a rectangle is its own bounding box."""
        return True


RECTANGLE = Rectangle()
"""The shape of a sticker that was given none."""
