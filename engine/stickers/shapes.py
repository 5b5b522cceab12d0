"""Shapes of stickers: the coverage of each pixel of the bounding box, and the outline.

A sticker's ``x, y, width, height`` are its bounding box. A shape is defined in the unit square of that box, u to the right and v down, so
moving, resizing and nudging a sticker need to know nothing of its shape.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from engine.errors import GibbonError

_SAMPLES = 8
"""Points along each side of a pixel that `Shape.coverage` tests."""
_SEGMENTS = 64
"""Number of sides of the polygon that approximates an ellipse's outline."""


@dataclass(frozen=True)
class Shape(ABC):
    """The shape of a sticker within its bounding box. Subclasses are frozen values, listed in `SHAPES`.

    A subclass defines by `contains` which points of the unit square are inside, for tensors of points at once, and by `outline` its edge.
    Its fields, if it has any, are plain numbers, texts or tuples of them: records keep them as JSON.
    """

    kind: ClassVar[str]
    """Name in records and in `SHAPES`."""
    title: ClassVar[str]
    """Name on the screen."""

    @abstractmethod
    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether the points ``(u, v)`` of the unit square are inside, as a bool tensor of their common shape."""

    @abstractmethod
    def outline(self) -> tuple[tuple[float, float], ...]:
        """Return the corners of the edge as a closed polygon in the unit square, each ``(u, v)``."""

    def coverage(self, height: int, width: int) -> Tensor:
        """Return the share of each pixel that is inside, ``(1, height, width)``, from 8 x 8 points per pixel."""
        v, u = ((torch.arange(side * _SAMPLES) + 0.5) / (side * _SAMPLES) for side in (height, width))
        inside = self.contains(u[None, :], v[:, None]).float().expand(len(v), len(u))
        return inside.reshape(height, _SAMPLES, width, _SAMPLES).mean((1, 3))[None]

    @property
    def fills_its_box(self) -> bool:
        """Whether the shape covers every pixel of the bounding box completely."""
        return False


@final
@dataclass(frozen=True)
class Rectangle(Shape):
    """The bounding box itself: every pixel is covered completely, so masks stay binary."""

    kind: ClassVar[str] = "rectangle"
    title: ClassVar[str] = "rectangle"

    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether points are in the unit square, without its far edges."""
        return (u >= 0) & (u < 1) & (v >= 0) & (v < 1)

    def outline(self) -> tuple[tuple[float, float], ...]:
        """Return the four corners of the box."""
        return ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

    @property
    def fills_its_box(self) -> bool:
        """True, since a rectangle is its own bounding box."""
        return True


RECTANGLE = Rectangle()
"""The shape of a sticker that was given none."""


@final
@dataclass(frozen=True)
class Ellipse(Shape):
    """The ellipse that touches the box at the middles of its sides: ``(2u - 1)^2 + (2v - 1)^2 <= 1``."""

    kind: ClassVar[str] = "ellipse"
    title: ClassVar[str] = "ellipse"

    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether points satisfy the inequality of the ellipse."""
        return (2 * u - 1) ** 2 + (2 * v - 1) ** 2 <= 1

    def outline(self) -> tuple[tuple[float, float], ...]:
        """Return a polygon of 64 corners on the ellipse."""
        angles = (2 * math.pi * number / _SEGMENTS for number in range(_SEGMENTS))
        return tuple((0.5 + 0.5 * math.cos(angle), 0.5 + 0.5 * math.sin(angle)) for angle in angles)


SHAPES: Mapping[str, type[Shape]] = MappingProxyType({shape.kind: shape for shape in (Rectangle, Ellipse)})
"""The class of shape for each kind."""


def shape_of(kind: str, parameters: Mapping[str, Any]) -> Shape:
    """Make the shape that a record names.

    Raises
    ------
    GibbonError
        The kind is unknown, or has other parameters.
    """
    if kind not in SHAPES:
        raise GibbonError(f"There is no sticker shape “{kind}” here. There is: {', '.join(SHAPES)}.")
    try:
        return SHAPES[kind](**parameters)
    except (TypeError, ValueError):
        raise GibbonError(f"The sticker shape “{kind}” does not take {', '.join(parameters)}. Use the record as it was written.") from None


def parameters_of_shape(shape: Shape) -> dict[str, Any]:
    """Return the fields of a shape, for a record."""
    return asdict(shape)
