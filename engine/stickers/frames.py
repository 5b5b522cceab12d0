"""Frames: bounding boxes that may lie between pixels and be rotated, as tensors, and the maps between them and the image.

A frame is ``(x, y, width, height, angle)``: the left and top edge and the size of the box before it is rotated, in pixels, and the angle in
degrees by which it is then turned about its centre, clockwise on the screen. Its unit square has u to the right and v down.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Box = tuple[int, int, int, int]
"""Whole pixels: left, top, right and bottom, the last two exclusive."""


def to_image(frames: Tensor, points: Tensor) -> Tensor:
    """Return points of the unit square as points of the image.

    ``centre + R(angle) ((u - 1/2) width, (v - 1/2) height)``

    Parameters
    ----------
    frames
        ``(..., 5)``, see above.
    points
        ``(..., V, 2)``, each ``(u, v)``.

    Returns
    -------
    Tensor
        ``(..., V, 2)``, each ``(x, y)`` in pixels.
    """
    x, y, width, height, angle = frames[..., None, :].unbind(-1)
    u, v = points.to(frames).unbind(-1)
    dx, dy = (u - 0.5) * width, (v - 0.5) * height
    cos, sin = _turn(angle)
    return torch.stack([x + width / 2 + cos * dx - sin * dy, y + height / 2 + sin * dx + cos * dy], -1)


def to_unit(frames: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return points of the image as points ``(u, v)`` of the unit square: the inverse of `to_image`.

    ``frames`` is ``(..., 5)``; its leading dimensions broadcast against ``x`` and ``y``.
    """
    left, top, width, height, angle = frames.unbind(-1)
    cos, sin = _turn(angle)
    dx, dy = x - (left + width / 2), y - (top + height / 2)
    return (cos * dx + sin * dy) / width + 0.5, (cos * dy - sin * dx) / height + 0.5


def outer_box(x: float, y: float, width: float, height: float, angle: float) -> Box:
    """Return the smallest box of whole pixels that holds the frame."""
    if angle == 0:  # asked for at every mouse move, of every sticker
        return math.floor(x + _ROUNDING), math.floor(y + _ROUNDING), math.ceil(x + width - _ROUNDING), math.ceil(y + height - _ROUNDING)
    corners = [turned(across * width / 2, down * height / 2, angle) for across in (-1, 1) for down in (-1, 1)]
    xs, ys = ([middle + corner[axis] for corner in corners] for axis, middle in enumerate((x + width / 2, y + height / 2)))
    left, top = (math.floor(min(values) + _ROUNDING) for values in (xs, ys))
    right, bottom = (math.ceil(max(values) - _ROUNDING) for values in (xs, ys))
    return left, top, right, bottom


def turned(dx: float, dy: float, angle: float) -> tuple[float, float]:
    """Return a vector rotated by degrees, clockwise on the screen; exactly for quarters of a turn."""
    quarters = round(angle / 90)
    rest = math.radians(angle - 90 * quarters)
    cos, sin = math.cos(rest), math.sin(rest)
    for _ in range(quarters % 4):
        cos, sin = -sin, cos
    return cos * dx - sin * dy, sin * dx + cos * dy


_ROUNDING = 1e-9
"""Rounding errors, in pixels: an edge this close to a whole pixel lies on it."""


def _turn(angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of an angle in degrees, exact for whole quarters of a turn."""
    quarters = (angle / 90).round()
    rest = torch.deg2rad(angle - 90 * quarters)
    cos, sin = torch.cos(rest), torch.sin(rest)
    quarter = quarters.detach() % 4
    return (
        torch.where(quarter == 0, cos, torch.where(quarter == 1, -sin, torch.where(quarter == 2, -cos, sin))),
        torch.where(quarter == 0, sin, torch.where(quarter == 1, cos, torch.where(quarter == 2, -sin, -cos))),
    )
