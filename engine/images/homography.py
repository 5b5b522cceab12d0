"""Homographies: the maps by which a camera shows a flat rectangle, in closed form from its four corners.

Points are ``(x, y)`` in pixels of a photograph, where pixel (row r, column c) covers the square [c, c + 1] x [r, r + 1]. The rectangle is
the unit square, u to the right and v down. Corners are in the order upper left, upper right, lower right, lower left.
"""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Sequence

import torch
from torch import Tensor

from engine.errors import GibbonError

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
ORDER = ("upper left", "upper right", "lower right", "lower left")
"""Names of the corners in their order, as seen on the rectangle itself."""
_NEAREST = 2.0
"""Least distance of two corners, in pixels."""
_FLATTEST = 1.0
"""Least height of the triangle of three corners, in pixels."""
_GIVE = "Give upper left, upper right, lower right and lower left."


def square_to_quad(corners: Corners) -> Tensor:
    """Return the homography ``(3, 3)`` that maps the unit square to a quadrilateral, in float64.

    ``(x, y) = ((a u + b v + c), (d u + e v + f)) / (g u + h v + 1)``. With ``d1 = p1 - p2``, ``d2 = p3 - p2`` and
    ``s = p0 - p1 + p2 - p3``: ``g = det(s, d2) / det(d1, d2)``, ``h = det(d1, s) / det(d1, d2)``, and the other six numbers follow from
    the corners one by one (Heckbert 1989, Fundamentals of texture mapping and image warping, section 2.2.3).

    Parameters
    ----------
    corners
        The images of (0, 0), (1, 0), (1, 1) and (0, 1), checked by `checked_corners`.
    """
    p0, p1, p2, p3 = torch.tensor(corners, dtype=torch.float64)
    d1, d2, s = p1 - p2, p3 - p2, p0 - p1 + p2 - p3
    area = _det(d1, d2)
    g, h = _det(s, d2) / area, _det(d1, s) / area
    first, second = p1 - p0 + g * p1, p3 - p0 + h * p3
    return torch.cat([torch.stack([first, second, p0], 1), torch.stack([g, h, torch.ones_like(g)])[None]])


def applied(matrix: Tensor, points: Tensor) -> Tensor:
    """Return the images of ``points`` ``(..., 2)`` under a homography ``(3, 3)``."""
    mapped = points.to(matrix) @ matrix[:, :2].T + matrix[:, 2]
    return mapped[..., :2] / mapped[..., 2:]


def checked_corners(corners: Sequence[Sequence[float]], size: tuple[int, int], what: str = "frame") -> Corners:
    """Return four corners as a value, if a camera can have seen a rectangle there.

    Parameters
    ----------
    corners
        Four pairs ``(x, y)`` in pixels.
    size
        Width and height of the photograph.
    what
        The rectangle, for the errors: "frame" or "chart".

    Raises
    ------
    GibbonError
        There are not four pairs of numbers, one is outside the photograph, two coincide, three lie on a line, the sides cross, or they
        are in the order of a mirror image.
    """
    points = _points(corners, what)
    width, height = size
    for name, (x, y) in zip(ORDER, points, strict=True):
        if not (0 <= x <= width and 0 <= y <= height):
            raise GibbonError(
                f"The {name} corner of the {what} at {x:g}, {y:g} is outside the photograph of {width:,} × {height:,} pixels. "
                "Move it inside."
            )
    for (a, p), (b, q) in itertools.combinations(zip(ORDER, points, strict=True), 2):
        if math.dist(p, q) < _NEAREST:
            raise GibbonError(
                f"The {a} and the {b} corner of the {what} coincide. Give four different corners, in pixels of the photograph."
            )
    turns = [_turn(points[at - 1], points[at], points[(at + 1) % 4]) for at in range(4)]
    if any(flat for _, flat in turns):
        raise GibbonError(f"Three corners of the {what} lie on one line, so it has no area there. Move one of them aside.")
    right = sum(turn > 0 for turn, _ in turns)
    if right == 0:
        raise GibbonError(f"The corners of the {what} run anticlockwise, which would mirror it. {_GIVE}")
    if right == 2:
        raise GibbonError(f"The sides of the {what} cross each other: two of its corners are swapped. {_GIVE}")
    if right != 4:
        raise GibbonError(f"One corner of the {what} lies within the triangle of the others, as no camera sees a rectangle. {_GIVE}")
    return points


def _points(corners: Sequence[Sequence[float]], what: str) -> Corners:
    found = [tuple(corner) for corner in corners] if isinstance(corners, Sequence) and not isinstance(corners, str) else []
    if len(found) != 4 or not all(len(point) == 2 and all(map(_is_finite, point)) for point in found):
        raise GibbonError(f"The {what} needs four corners, each x and y in pixels of the photograph. {_GIVE}")
    a, b, c, d = ((float(x), float(y)) for x, y in found)
    return a, b, c, d


def _is_finite(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _turn(before: Point, at: Point, after: Point) -> tuple[float, bool]:
    """Return twice the signed area of three points, above 0 for a turn to the right, and whether they lie on one line."""
    (x0, y0), (x1, y1), (x2, y2) = before, at, after
    area = (x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1)
    longest = max(math.dist(before, at), math.dist(at, after), math.dist(before, after))
    return area, abs(area) < _FLATTEST * longest


def _det(a: Tensor, b: Tensor) -> Tensor:
    return a[0] * b[1] - a[1] * b[0]
