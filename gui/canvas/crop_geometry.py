"""The crop rectangle on a photograph: ``(left, top, width, height)`` in its pixels, of a fixed aspect. Pure numbers: no Qt."""

from __future__ import annotations

import math

Crop = tuple[int, int, int, int]
SMALLEST = 8
"""The least length of the crop's shorter side, in pixels."""


def largest(width: int, height: int, aspect: float) -> Crop:
    """Return the largest crop of an aspect (width / height), in the middle of the photograph."""
    wide = min(float(width), height * aspect)
    crop_width, crop_height = _sides(wide, aspect, width, height)
    return (width - crop_width) // 2, (height - crop_height) // 2, crop_width, crop_height


def moved_crop(crop: Crop, dx: float, dy: float, width: int, height: int) -> Crop:
    """Return the crop moved by ``dx`` and ``dy``, as far as it stays on the photograph."""
    left = min(max(crop[0] + round(dx), 0), width - crop[2])
    top = min(max(crop[1] + round(dy), 0), height - crop[3])
    return left, top, crop[2], crop[3]


def spanned(anchor: tuple[float, float], corner: tuple[float, float], aspect: float, width: int, height: int) -> Crop:
    """Return the crop between a fixed corner ``anchor`` and a moving ``corner``, within the photograph."""
    dx, dy = corner[0] - anchor[0], corner[1] - anchor[1]
    x, y = min(max(round(anchor[0]), 0), width), min(max(round(anchor[1]), 0), height)
    room_x = width - x if dx >= 0 else x
    room_y = height - y if dy >= 0 else y
    wide = min(max(abs(dx), abs(dy) * aspect, _smallest_width(aspect)), room_x, room_y * aspect)
    crop_width, crop_height = _sides(wide, aspect, width, height)
    crop = (x if dx >= 0 else x - crop_width, y if dy >= 0 else y - crop_height, crop_width, crop_height)
    return moved_crop(crop, 0, 0, width, height)


def scaled_crop(crop: Crop, factor: float, aspect: float, width: int, height: int) -> Crop:
    """Return the crop scaled about its middle, within the photograph."""
    wide = min(max(crop[2] * factor, _smallest_width(aspect)), width, height * aspect)
    crop_width, crop_height = _sides(wide, aspect, width, height)
    left = crop[0] + (crop[2] - crop_width) / 2
    top = crop[1] + (crop[3] - crop_height) / 2
    return moved_crop((math.floor(left), math.floor(top), crop_width, crop_height), 0, 0, width, height)


def fits(crop: Crop, width: int, height: int) -> bool:
    """Return whether the crop lies on the photograph."""
    left, top, crop_width, crop_height = crop
    return left >= 0 and top >= 0 and crop_width > 0 and crop_height > 0 and left + crop_width <= width and top + crop_height <= height


def _smallest_width(aspect: float) -> float:
    return SMALLEST * max(1.0, aspect)


def _sides(wide: float, aspect: float, width: int, height: int) -> tuple[int, int]:
    return min(max(1, round(wide)), width), min(max(1, round(wide / aspect)), height)
