"""The crop rectangle on a photograph: ``(left, top, width, height)`` in its pixels, of a fixed aspect. Pure numbers: no Qt."""

from __future__ import annotations

import math

Crop = tuple[int, int, int, int]
SMALLEST = 8
"""Pixels of the shorter side."""


def largest(width: int, height: int, aspect: float) -> Crop:
    """The largest crop of that aspect (width / height), in the middle."""
    wide = min(float(width), height * aspect)
    crop_width, crop_height = _sides(wide, aspect, width, height)
    return (width - crop_width) // 2, (height - crop_height) // 2, crop_width, crop_height


def moved(crop: Crop, dx: float, dy: float, width: int, height: int) -> Crop:
    """The crop shifted, kept on the photograph."""
    left = min(max(crop[0] + round(dx), 0), width - crop[2])
    top = min(max(crop[1] + round(dy), 0), height - crop[3])
    return left, top, crop[2], crop[3]


def spanned(anchor: tuple[float, float], corner: tuple[float, float], aspect: float, width: int, height: int) -> Crop:
    """The crop with one corner at the anchor, pulled out to the other, as far as the photograph goes."""
    dx, dy = corner[0] - anchor[0], corner[1] - anchor[1]
    x, y = min(max(round(anchor[0]), 0), width), min(max(round(anchor[1]), 0), height)
    room_x = width - x if dx >= 0 else x
    room_y = height - y if dy >= 0 else y
    wide = min(max(abs(dx), abs(dy) * aspect, _smallest_width(aspect)), room_x, room_y * aspect)
    crop_width, crop_height = _sides(wide, aspect, width, height)
    crop = (x if dx >= 0 else x - crop_width, y if dy >= 0 else y - crop_height, crop_width, crop_height)
    return moved(crop, 0, 0, width, height)


def scaled(crop: Crop, factor: float, aspect: float, width: int, height: int) -> Crop:
    """The crop made larger or smaller about its middle."""
    wide = min(max(crop[2] * factor, _smallest_width(aspect)), width, height * aspect)
    crop_width, crop_height = _sides(wide, aspect, width, height)
    left = crop[0] + (crop[2] - crop_width) / 2
    top = crop[1] + (crop[3] - crop_height) / 2
    return moved((math.floor(left), math.floor(top), crop_width, crop_height), 0, 0, width, height)


def fits(crop: Crop, width: int, height: int) -> bool:
    """Whether it lies on the photograph."""
    left, top, crop_width, crop_height = crop
    return left >= 0 and top >= 0 and crop_width > 0 and crop_height > 0 and left + crop_width <= width and top + crop_height <= height


def _smallest_width(aspect: float) -> float:
    return SMALLEST * max(1.0, aspect)


def _sides(wide: float, aspect: float, width: int, height: int) -> tuple[int, int]:
    return min(max(1, round(wide)), width), min(max(1, round(wide / aspect)), height)
