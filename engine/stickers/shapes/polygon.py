"""Polygon: any closed outline of straight edges."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.stickers.frames import to_image
from engine.stickers.raster import polygon_coverage
from engine.stickers.shapes.base import Loop, Shape

MOST_CORNERS = 10_000
_SLACK = 1e-6
_CHUNK = 4_000_000
"""Pairs of points and edges that `Polygon.contains` compares at a time."""


@final
@dataclass(frozen=True)
class Polygon(Shape):
    """The points that the outline winds around (the nonzero rule), so an outline that crosses itself is allowed.

    Raises
    ------
    GibbonError
        There are fewer than three corners, more than `MOST_CORNERS`, corners outside the box, or no area.
    """

    kind: ClassVar[str] = "polygon"
    title: ClassVar[str] = "polygon"

    points: Loop = ((0.5, 0.0), (1.0, 1.0), (0.0, 1.0))
    """The corners in order, each ``(u, v)`` in the unit square; a triangle if none are given."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _checked(self.points))

    @classmethod
    def within(cls, corners: Sequence[tuple[float, float]]) -> tuple[tuple[float, float, float, float], Self]:
        """Return the bounding box ``(x, y, width, height)`` of corners in pixels, at least one pixel wide and high, and the polygon in it.

        Raises
        ------
        GibbonError
            The corners enclose no area.
        """
        xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        if len(corners) < 3:
            raise GibbonError(f"A polygon of {len(corners)} corners covers nothing. Set at least three.")
        (x, width), (y, height) = _span(xs), _span(ys)
        return (x, y, width, height), cls(tuple(((a - x) / width, (b - y) / height) for a, b in corners))

    def contains(self, u: Tensor, v: Tensor) -> Tensor:
        """Return whether the outline winds around the points: its signed crossings of the ray to the right do not cancel."""
        shape = (u + v).shape
        start = torch.tensor(self.points, dtype=u.dtype, device=u.device)
        end = start.roll(-1, 0)
        flat = torch.stack([u.expand(shape).flatten(), v.expand(shape).flatten()], 1)
        step = max(1, _CHUNK // len(start))
        found = [_winds(flat[first : first + step], start, end) for first in range(0, len(flat), step)]
        return torch.cat(found or [torch.zeros(0, dtype=torch.bool, device=u.device)]).reshape(shape)

    def outlines(self) -> tuple[Loop, ...]:
        """Return the corners as they were given, one loop."""
        return (self.points,)

    def coverage_at(self, frames: Tensor, height: int, width: int) -> Tensor:
        """Return the area of each pixel inside, exactly, but in pixels where the outline crosses itself."""
        return polygon_coverage(to_image(frames, torch.tensor(self.points, dtype=frames.dtype)), height, width)


def _winds(points: Tensor, start: Tensor, end: Tensor) -> Tensor:
    u, v = points[:, :1], points[:, 1:]
    down = (start[:, 1] <= v) & (end[:, 1] > v)
    up = (end[:, 1] <= v) & (start[:, 1] > v)
    side = (end[:, 0] - start[:, 0]) * (v - start[:, 1]) - (u - start[:, 0]) * (end[:, 1] - start[:, 1])
    return ((down & (side > 0)).sum(1) - (up & (side < 0)).sum(1)) != 0


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    missing = max(0.0, 1 - (high - low))
    return low - missing / 2, high - low + missing


def _checked(points: object) -> Loop:
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise GibbonError(f"{points!r} are no corners of a polygon. Give pairs (u, v) from 0 to 1.")
    if not 3 <= len(points) <= MOST_CORNERS:
        raise GibbonError(f"A polygon needs 3 to {MOST_CORNERS:,} corners, but has {len(points):,}.")
    corners = tuple(_corner(point) for point in points)
    if _covers_nothing(corners):
        raise GibbonError("The corners of the polygon lie on one line, so it covers nothing. Move one of them aside.")
    return corners


def _corner(point: object) -> tuple[float, float]:
    if not isinstance(point, Sequence) or len(point) != 2 or not all(_is_share(value) for value in point):
        raise GibbonError(f"{point!r} is no corner of a polygon. Give (u, v), each from 0 to 1 across the sticker's box.")
    return min(max(float(point[0]), 0.0), 1.0), min(max(float(point[1]), 0.0), 1.0)


def _is_share(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and -_SLACK <= float(value) <= 1 + _SLACK


def _covers_nothing(corners: Loop) -> bool:
    """Return whether all corners lie on one line."""
    (a, b), (c, d) = corners[0], max(corners, key=lambda corner: math.dist(corner, corners[0]))
    return all(abs((c - a) * (v - b) - (u - a) * (d - b)) < _SLACK for u, v in corners)
