"""Plane geometry of the drawings: flattened curves, strokes as polygons, arrows. Points are float64 ``(n, 2)``, y points down."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
CURVE_PIECES = 16
JOINT_PIECES = 24


def points(flat: Sequence[float]) -> Points:
    """Return ``x0, y0, x1, y1, ...`` as an ``(n, 2)`` array."""
    return np.asarray(flat, dtype=np.float64).reshape(-1, 2)


def bezier(p0: Points, p1: Points, p2: Points, p3: Points, pieces: int = CURVE_PIECES) -> Points:
    """Return ``pieces`` points of a cubic Bezier curve, without its first point."""
    t = (np.arange(1, pieces + 1, dtype=np.float64) / pieces)[:, None]
    s = 1.0 - t
    return s * s * s * p0 + 3.0 * s * s * t * p1 + 3.0 * s * t * t * p2 + t * t * t * p3


def path(text: str) -> list[Points]:
    """Parse a drawing in the absolute ``M x y``, ``L x y ...``, ``C x1 y1 x2 y2 x y``, ``Z`` subset of SVG's path language.

    Returns
    -------
    list of (n, 2) arrays
        One polyline per ``M``; ``Z`` repeats its first point.
    """
    lines: list[list[Points]] = []
    for command, numbers in _commands(text.split()):
        if command == "M":
            lines.append([numbers[:1]])
            numbers = numbers[1:]
        if command in "ML":
            lines[-1].extend(row[None] for row in numbers)
        elif command == "C":
            for k in range(0, len(numbers), 3):
                lines[-1].append(bezier(lines[-1][-1][-1], *numbers[k : k + 3]))
        else:
            lines[-1].append(lines[-1][0])
    return [np.concatenate(line) for line in lines]


def _commands(tokens: Iterable[str]) -> Iterable[tuple[str, Points]]:
    command = ""
    numbers: list[float] = []
    for token in tokens:
        if token in "MLCZ":
            if command:
                yield command, points(numbers)
            command, numbers = token, []
        else:
            numbers.append(float(token))
    yield command, points(numbers)


def place(shape: Points, scale: float = 1.0, dx: float = 0.0, dy: float = 0.0, degrees: float = 0.0) -> Points:
    """Scale a shape, then turn it clockwise as seen, then move it."""
    angle = math.radians(degrees)
    c, s = math.cos(angle), math.sin(angle)
    x, y = shape[:, 0] * scale, shape[:, 1] * scale
    return np.stack([c * x - s * y + dx, s * x + c * y + dy], axis=1)


def mirrored(shape: Points) -> Points:
    """Mirror a shape, left to right."""
    return np.multiply(shape, [-1.0, 1.0])


def arc(x: float, y: float, radius: float, start: float, stop: float, radius_y: float | None = None, pieces: int = 0) -> Points:
    """Return an elliptic arc from ``start`` to ``stop`` degrees; 0 is right, 90 is down; one piece per 4 degrees by default."""
    pieces = pieces or max(4, int(abs(stop - start) / 4.0))
    angles = np.radians(np.linspace(start, stop, pieces + 1))
    return np.stack([x + radius * np.cos(angles), y + (radius_y or radius) * np.sin(angles)], axis=1)


def regular(corners: int, radius: float, degrees: float) -> Points:
    """Return a regular polygon around the origin, its first corner at ``degrees``."""
    angles = np.radians(degrees + 360.0 * np.arange(corners) / corners)
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def stroke(line: Points, width: float) -> list[Points]:
    """Return the polygons that cover a line of this width: a quadrilateral per piece and a disc per inner joint; flat ends."""
    polygons = []
    for a, b in itertools.pairwise(line):
        along = b - a
        length = math.hypot(along[0], along[1])
        if length > 0.0:
            across = np.array([-along[1], along[0]]) * (0.5 * width / length)
            polygons.append(np.stack([a + across, b + across, b - across, a - across]))
    joints = line if np.allclose(line[0], line[-1]) else line[1:-1]
    polygons += list(joints[:, None, :] + arc(0.0, 0.0, 0.5 * width, 0.0, 360.0, pieces=JOINT_PIECES))
    return polygons


def arrow_head(tip: Sequence[float], degrees: float, barb: float, thick: float, shaft: float) -> Points:
    """Return a barbed arrow head with its tip at ``tip``, pointing to ``degrees`` (0 right, 90 down).

    ``barb`` is the extent of its wings to each side, ``thick`` their thickness along the arrow, ``shaft`` the shaft's width.
    """
    h = 0.5 * shaft
    upper = [(0.0, 0.0), (-barb, -barb), (-barb - thick, -barb), (-thick - h, -h)]
    outline = upper + [(x, -y) for x, y in reversed(upper[1:])]
    return place(np.asarray(outline, dtype=np.float64), 1.0, tip[0], tip[1], degrees)
