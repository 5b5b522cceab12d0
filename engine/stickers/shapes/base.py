"""Shape: the part of a sticker's bounding box that is covered. Subclasses are frozen values.

A shape is defined in the unit square of its box, u to the right and v down, so moving, resizing, rotating and nudging a sticker need to
know nothing of its shape.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

Loop = tuple[tuple[float, float], ...]
"""The corners of a closed polygon in the unit square, each ``(u, v)``."""


@dataclass(frozen=True)
class Shape(ABC):
    """The shape of a sticker within its bounding box. Subclasses are frozen values, listed in `SHAPES`.

    A subclass defines by `contains` which points of the unit square are inside, by `outlines` its edge, and by `coverage_at` the share of
    each pixel that it covers. Its fields, if it has any, are plain numbers, texts or tuples of them: records keep them as JSON.
    """

    kind: ClassVar[str]
    """Name in records and in `SHAPES`."""
    title: ClassVar[str]
    """Name on the screen."""

    @abstractmethod
    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether the points ``(u, v)`` of the unit square are inside, as a bool tensor of their common shape."""

    @abstractmethod
    def outlines(self) -> tuple[Loop, ...]:
        """Return the edge as closed polygons: one, or one for each part and each hole."""

    @abstractmethod
    def coverage_at(self, frames: Tensor, height: int, width: int) -> Tensor:
        """Return the share of each pixel that the shape covers in frames of an image.

        Parameters
        ----------
        frames
            ``(..., 5)``: x, y, width, height and angle of each bounding box, see `engine.stickers.frames`.
        height, width
            The size of the image.

        Returns
        -------
        Tensor
            ``(..., height, width)`` in [0, 1], of the type and device of ``frames``, and differentiable in them.
        """

    def coverage(self, height: int, width: int) -> Tensor:
        """Return the share of each pixel of an upright box of ``height`` by ``width`` pixels that is inside, ``(1, height, width)``."""
        frame = torch.tensor([0, 0, width, height, 0], dtype=torch.float64)
        return self.coverage_at(frame, height, width).float()[None]

    @property
    def fills_its_box(self) -> bool:
        """Whether the shape covers every point of the bounding box."""
        return False
