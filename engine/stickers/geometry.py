"""Pure functions on stickers: what is hit, how they move, turn and change size. This file knows neither Qt nor torch's drawing.

The mouse snaps upright stickers to whole pixels. A rotated one keeps whole sizes, but its edges lie anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from engine.errors import GibbonError
from engine.stickers import checks
from engine.stickers.frames import turned
from engine.stickers.shapes import RECTANGLE, Polygon, Shape
from engine.stickers.sticker import Colour, Content, Sticker, check_sticker, check_stickers

Handle = Literal["nw", "n", "ne", "e", "se", "s", "sw", "w"]
HANDLES: tuple[Handle, ...] = ("nw", "n", "ne", "e", "se", "s", "sw", "w")
TURN_STEP = 15.0
"""Degrees to which a rotation snaps."""


@dataclass(frozen=True)
class Hit:
    """The sticker under the mouse, and the handle of it where one is near."""

    sticker: Sticker
    handle: Handle | None = None


def contains(sticker: Sticker, x: float, y: float) -> bool:
    """Return whether the point is on the sticker: within its box, and within its shape there."""
    check_sticker(sticker)
    checks.point(x, y)
    u, v = _to_unit(sticker, x, y)
    if not (0 <= u < 1 and 0 <= v < 1):
        return False
    return sticker.shape.fills_its_box or bool(sticker.shape.contains(torch.tensor(u), torch.tensor(v)))


def handle_position(sticker: Sticker, handle: Handle) -> tuple[float, float]:
    """Return the position of the handle: a corner, or the middle of an edge, of the rotated box."""
    check_sticker(sticker)
    _check_handle(handle)
    u, v = _place_of(handle)
    return to_image(sticker, u, v)


def to_image(sticker: Sticker, u: float, v: float) -> tuple[float, float]:
    """Return a point of the unit square of a sticker's box as a point of the image."""
    if sticker.angle == 0:
        return sticker.x + u * sticker.width, sticker.y + v * sticker.height
    dx, dy = turned((u - 0.5) * sticker.width, (v - 0.5) * sticker.height, sticker.angle)
    return sticker.centre[0] + dx, sticker.centre[1] + dy


def find_hit(stickers: Sequence[Sticker], x: float, y: float, reach: float, selected: int | None = None) -> Hit | None:
    """Find the sticker or handle at (x, y): first a handle of the selected sticker within ``reach``, then the topmost sticker.

    Locked and hidden stickers are not found. ``reach`` is in image pixels: a constant number of screen pixels over the zoom.
    """
    check_stickers(stickers)
    checks.point(x, y, reach)
    free = [sticker for sticker in stickers if sticker.visible and not sticker.locked]
    for sticker in free:
        if sticker.id == selected:
            near = [(math.dist((x, y), handle_position(sticker, handle)), handle) for handle in HANDLES]
            distance, handle = min(near)
            if distance <= reach:
                return Hit(sticker, handle)
    return next((Hit(sticker) for sticker in reversed(free) if contains(sticker, x, y)), None)


# ---------------------------------------------------------------------- making


def between(
    id: int,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    square: bool = False,
    content: Content | None = None,
    shape: Shape | None = None,
) -> Sticker:
    """Return the sticker spanned by two corners, snapped to the pixels that contain them, at least one pixel large."""
    for corner in (start, end):
        _check_corner(corner)
    left, right = sorted((math.floor(start[0]), math.floor(end[0])))
    top, bottom = sorted((math.floor(start[1]), math.floor(end[1])))
    width, height = right - left + 1, bottom - top + 1
    if square:
        side = max(width, height)
        left = left if end[0] >= start[0] else right + 1 - side
        top = top if end[1] >= start[1] else bottom + 1 - side
        width = height = side
    return Sticker(id, left, top, width, height, content or Colour(), shape=shape or RECTANGLE)


def around(id: int, corners: Sequence[tuple[float, float]], *, content: Content | None = None) -> Sticker:
    """Return the sticker whose shape is the polygon with these corners in pixels, each ``(x, y)``.

    Raises
    ------
    GibbonError
        There are fewer than three corners, or they enclose no area.
    """
    for corner in corners:
        _check_corner(corner)
    box, shape = Polygon.within(corners)
    return Sticker(id, *box, content or Colour(), shape=shape)


# ---------------------------------------------------------------------- changing


def moved(sticker: Sticker, dx: float, dy: float) -> Sticker:
    """Return the sticker shifted by whole pixels."""
    check_sticker(sticker)
    checks.point(dx, dy)
    return replace(sticker, x=sticker.x + round(dx), y=sticker.y + round(dy))


def rotated(sticker: Sticker, angle: float) -> Sticker:
    """Return the sticker at an angle in degrees, clockwise, about the middle of its box."""
    check_sticker(sticker)
    checks.point(angle)
    return replace(sticker, angle=angle)


def pointed(sticker: Sticker, x: float, y: float, *, snapped: bool = False) -> Sticker:
    """Return the sticker rotated so that the middle of its upper edge looks at (x, y); ``snapped`` to multiples of `TURN_STEP`."""
    check_sticker(sticker)
    checks.point(x, y)
    dx, dy = x - sticker.centre[0], y - sticker.centre[1]
    if dx == dy == 0:
        return sticker
    angle = math.degrees(math.atan2(dx, -dy))
    return replace(sticker, angle=round(angle / TURN_STEP) * TURN_STEP if snapped else round(angle, 1))


def on_whole_pixels(sticker: Sticker) -> Sticker:
    """Return the sticker with its edges rounded to whole pixels, at least one pixel large; of a rotated one, size and centre."""
    check_sticker(sticker)
    if sticker.angle == 0:
        left, top = round(sticker.x), round(sticker.y)
        return replace(sticker, x=left, y=top, width=max(1, round(sticker.right) - left), height=max(1, round(sticker.bottom) - top))
    width, height = max(1, round(sticker.width)), max(1, round(sticker.height))
    x, y = (round(2 * centre) / 2 for centre in sticker.centre)
    return replace(sticker, x=x - width / 2, y=y - height / 2, width=width, height=height)


def resized(sticker: Sticker, handle: Handle, x: float, y: float, *, keep_aspect: bool = False) -> Sticker:
    """Return the sticker with ``handle`` pulled to (x, y) and the opposite side or corner fixed; at least one pixel large.

    An upright sticker's pulled edges snap to whole pixels; of a rotated one, width and height are whole.
    """
    check_sticker(sticker)
    _check_handle(handle)
    checks.point(x, y)
    if sticker.angle == 0:
        return _resized_upright(sticker, handle, x, y, keep_aspect)
    u, v = _place_of(handle)
    fixed = to_image(sticker, 1 - u, 1 - v)
    across, down = turned(x - fixed[0], y - fixed[1], -sticker.angle)
    width: float = max(1, round(across if u == 1 else -across)) if u != 0.5 else sticker.width
    height: float = max(1, round(down if v == 1 else -down)) if v != 0.5 else sticker.height
    if keep_aspect and len(handle) == 2:
        factor = max(width / sticker.width, height / sticker.height)
        width, height = max(1, round(sticker.width * factor)), max(1, round(sticker.height * factor))
    dx, dy = turned((u - 0.5) * width, (v - 0.5) * height, sticker.angle)
    return replace(sticker, x=fixed[0] + dx - width / 2, y=fixed[1] + dy - height / 2, width=width, height=height)


def _resized_upright(sticker: Sticker, handle: Handle, x: float, y: float, keep_aspect: bool) -> Sticker:
    left, top, right, bottom = sticker.x, sticker.y, sticker.right, sticker.bottom
    if "w" in handle:
        left = min(round(x), right - 1)
    if "e" in handle:
        right = max(round(x), left + 1)
    if "n" in handle:
        top = min(round(y), bottom - 1)
    if "s" in handle:
        bottom = max(round(y), top + 1)
    if keep_aspect and len(handle) == 2:
        factor = max((right - left) / sticker.width, (bottom - top) / sticker.height)
        width, height = max(1, round(sticker.width * factor)), max(1, round(sticker.height * factor))
        left, right = (right - width, right) if "w" in handle else (left, left + width)
        top, bottom = (bottom - height, bottom) if "n" in handle else (top, top + height)
    return replace(sticker, x=left, y=top, width=right - left, height=bottom - top)


def kept_on_image(sticker: Sticker, height: int, width: int) -> Sticker:
    """Return the sticker shifted so that at least one pixel of its outer box is on the image, where the mouse can reach it."""
    check_sticker(sticker)
    height, width = checks.sides((height, width), "of the image")
    left, top, right, bottom = sticker.outer
    dx = max(0, 1 - right) or min(0, width - 1 - left)
    dy = max(0, 1 - bottom) or min(0, height - 1 - top)
    return replace(sticker, x=sticker.x + dx, y=sticker.y + dy) if dx or dy else sticker


def scaled(sticker: Sticker, before: tuple[int, int], after: tuple[int, int]) -> Sticker:
    """Return the sticker at the same place of an image of another size, each size ``(height, width)``; at least one pixel large.

    Edges are rounded, not widths, so upright stickers that touched still touch. A rotated one keeps its angle.
    """
    check_sticker(sticker)
    (from_height, from_width), (to_height, to_width) = checks.sides(before, "before"), checks.sides(after, "after")
    if sticker.angle == 0:
        left, right = (round(edge * to_width / from_width) for edge in (sticker.x, sticker.right))
        top, bottom = (round(edge * to_height / from_height) for edge in (sticker.y, sticker.bottom))
        placed = replace(sticker, x=left, y=top, width=max(1, right - left), height=max(1, bottom - top))
    else:
        across, down = to_width / from_width, to_height / from_height
        width, height = max(1.0, sticker.width * across), max(1.0, sticker.height * down)
        placed = replace(
            sticker, x=sticker.centre[0] * across - width / 2, y=sticker.centre[1] * down - height / 2, width=width, height=height
        )
    return kept_on_image(placed, to_height, to_width)


def next_id(stickers: Sequence[Sticker]) -> int:
    """Return an id that none of the stickers has."""
    check_stickers(stickers)
    return max((sticker.id for sticker in stickers), default=0) + 1


def reordered(stickers: Sequence[Sticker], id: int, by: int) -> tuple[Sticker, ...]:
    """Return the stickers with one of them moved ``by`` places up (towards the top) or down.

    Raises
    ------
    GibbonError
        No sticker has that ``id``.
    """
    check_stickers(stickers)
    places = checks.whole(by, "number of places")
    order = list(stickers)
    index = next((i for i, sticker in enumerate(order) if sticker.id == id), None)
    if index is None:
        raise GibbonError(f"There is no sticker {id}. There are: {', '.join(str(sticker.id) for sticker in order) or 'none'}.")
    sticker = order.pop(index)
    order.insert(min(max(index + places, 0), len(order)), sticker)
    return tuple(order)


# ---------------------------------------------------------------------- parts


def _place_of(handle: Handle) -> tuple[float, float]:
    return (0.0 if "w" in handle else 1.0 if "e" in handle else 0.5), (0.0 if "n" in handle else 1.0 if "s" in handle else 0.5)


def _to_unit(sticker: Sticker, x: float, y: float) -> tuple[float, float]:
    if sticker.angle == 0:
        return (x - sticker.x) / sticker.width, (y - sticker.y) / sticker.height
    dx, dy = turned(x - sticker.centre[0], y - sticker.centre[1], -sticker.angle)
    return dx / sticker.width + 0.5, dy / sticker.height + 0.5


def _check_corner(corner: object) -> None:
    if not isinstance(corner, Sequence) or len(corner) != 2:
        raise GibbonError(f"{corner!r} is no corner of a sticker. Give (x, y) in pixels.")
    checks.point(*corner)


def _check_handle(handle: Handle) -> None:
    if handle not in HANDLES:
        raise GibbonError(f"{handle!r} is no handle of a sticker. Give one of {', '.join(HANDLES)}.")
