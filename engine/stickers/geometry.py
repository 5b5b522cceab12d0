"""Stickers as frozen values, and pure functions on them. This file knows neither Qt nor torch's drawing.

Coordinates are image pixels: pixel (row r, column c) covers the square [c, c + 1] x [r, r + 1], so a sticker at x = 13, width = 6 covers
the columns 13 to 18. Stickers snap to whole pixels, so that the drawing, the computation and the saved file agree to the pixel. The order
of a tuple of stickers is their z-order: the last is on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.stickers import checks
from engine.stickers.shapes import RECTANGLE, Shape
from engine.text.parsing import named

Handle = Literal["nw", "n", "ne", "e", "se", "s", "sw", "w"]
HANDLES: tuple[Handle, ...] = ("nw", "n", "ne", "e", "se", "s", "sw", "w")


@dataclass(frozen=True)
class Colour:
    """Content that is a single colour everywhere."""

    rgb: tuple[float, float, float] = (1.0, 0.85, 0.0)
    """Red, green and blue in [0, 1]; a grey model takes the mean."""

    def __post_init__(self) -> None:
        if not isinstance(self.rgb, tuple | list) or len(self.rgb) != 3 or not all(map(checks.is_share, self.rgb)):
            raise GibbonError(f"{self.rgb!r} is no colour. Give red, green and blue from 0 to 1.")
        object.__setattr__(self, "rgb", tuple(map(float, self.rgb)))


@dataclass(frozen=True, eq=False)
class Pixels:
    """Content from a picture, stretched over the sticker."""

    image: Tensor
    """The picture, ``(C, h, w)`` in [0, 1] on the CPU."""
    name: str = "image"

    def __post_init__(self) -> None:
        checks.picture(self.image, "picture of a sticker", bounded=True)


@dataclass(frozen=True, eq=False)
class Optimised:
    """Content that an attack optimises. The sticker's area belongs to the mask of a sticker attack."""

    image: Tensor | None = None
    """The content, ``(C, h, w)`` in [0, 1] on the CPU; None before the first run: middle grey."""

    def __post_init__(self) -> None:
        if self.image is not None:
            checks.picture(self.image, "content of a sticker")


Content = Colour | Pixels | Optimised


@dataclass(frozen=True)
class Sticker:
    """A region on the canvas with content: a bounding box of whole pixels, and a shape within it."""

    id: int
    """Number that is unique within a canvas and stays through every edit."""
    x: int
    """Left edge in pixels."""
    y: int
    """Top edge in pixels."""
    width: int
    height: int
    content: Content = Colour()
    opacity: float = 1.0
    """Opacity: 0 shows nothing, 1 covers the image."""
    name: str = ""
    shape: Shape = RECTANGLE
    """The part of the bounding box ``x, y, width, height`` that is covered."""

    def __post_init__(self) -> None:
        for what in ("id", "x", "y", "width", "height"):
            object.__setattr__(self, what, checks.whole(getattr(self, what), what))
        if self.width < 1 or self.height < 1:
            raise GibbonError(f"A sticker of {self.width} × {self.height} pixels covers nothing. Make it at least one pixel wide and high.")
        if not isinstance(self.content, Colour | Pixels | Optimised):
            raise GibbonError(f"{self.content!r} is no content of a sticker. Give a Colour, Pixels or Optimised.")
        object.__setattr__(self, "opacity", checks.share(self.opacity, "The sticker's opacity"))
        if not isinstance(self.name, str):
            raise GibbonError(f"The sticker's name is {self.name!r}. Give a text.")
        if not isinstance(self.shape, Shape):
            raise GibbonError(f"{self.shape!r} is no shape of a sticker. Give a Rectangle or an Ellipse.")

    @property
    def right(self) -> int:
        """The edge after the last column, in pixels."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The edge after the last row, in pixels."""
        return self.y + self.height

    @property
    def title(self) -> str:
        """The name, or a description where no name was given."""
        return self.name or f"Sticker {self.id}"


@dataclass(frozen=True)
class Hit:
    """The sticker under the mouse, and the handle of it where one is near."""

    sticker: Sticker
    handle: Handle | None = None


def contains(sticker: Sticker, x: float, y: float) -> bool:
    """Return whether the point is on the sticker: within its box, and within its shape there."""
    _check(sticker)
    checks.point(x, y)
    if not (sticker.x <= x < sticker.right and sticker.y <= y < sticker.bottom):
        return False
    u, v = (torch.tensor(share) for share in ((x - sticker.x) / sticker.width, (y - sticker.y) / sticker.height))
    return sticker.shape.fills_its_box or bool(sticker.shape.contains(u, v))


def handle_position(sticker: Sticker, handle: Handle) -> tuple[float, float]:
    """Return the position of the handle: a corner, or the middle of an edge."""
    _check(sticker)
    _check_handle(handle)
    horizontal = sticker.x if "w" in handle else sticker.right if "e" in handle else sticker.x + sticker.width / 2
    vertical = sticker.y if "n" in handle else sticker.bottom if "s" in handle else sticker.y + sticker.height / 2
    return horizontal, vertical


def find_hit(stickers: Sequence[Sticker], x: float, y: float, reach: float, selected: int | None = None) -> Hit | None:
    """Find the sticker or handle at (x, y): first a handle of the selected sticker within ``reach``, then the topmost sticker.

    ``reach`` is in image pixels: the caller divides a constant number of screen pixels by the zoom.
    """
    check_stickers(stickers)
    checks.point(x, y, reach)
    for sticker in stickers:
        if sticker.id == selected:
            near = [(math.dist((x, y), handle_position(sticker, handle)), handle) for handle in HANDLES]
            distance, handle = min(near)
            if distance <= reach:
                return Hit(sticker, handle)
    return next((Hit(sticker) for sticker in reversed(stickers) if contains(sticker, x, y)), None)


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
        if not isinstance(corner, Sequence) or len(corner) != 2:
            raise GibbonError(f"{corner!r} is no corner of a sticker. Give (x, y) in pixels.")
        checks.point(*corner)
    left, right = sorted((math.floor(start[0]), math.floor(end[0])))
    top, bottom = sorted((math.floor(start[1]), math.floor(end[1])))
    width, height = right - left + 1, bottom - top + 1
    if square:
        side = max(width, height)
        left = left if end[0] >= start[0] else right + 1 - side
        top = top if end[1] >= start[1] else bottom + 1 - side
        width = height = side
    return Sticker(id, left, top, width, height, content or Colour(), shape=shape or RECTANGLE)


def moved(sticker: Sticker, dx: float, dy: float) -> Sticker:
    """Return the sticker shifted by whole pixels."""
    _check(sticker)
    checks.point(dx, dy)
    return replace(sticker, x=sticker.x + round(dx), y=sticker.y + round(dy))


def resized(sticker: Sticker, handle: Handle, x: float, y: float, *, keep_aspect: bool = False) -> Sticker:
    """Return the sticker with ``handle`` pulled to (x, y) and the opposite side fixed; at least one pixel large."""
    _check(sticker)
    _check_handle(handle)
    checks.point(x, y)
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
    """Return the sticker shifted so that at least one of its pixels is on the image, where the mouse can reach it."""
    _check(sticker)
    height, width = checks.sides((height, width), "of the image")
    x = min(max(sticker.x, 1 - sticker.width), width - 1)
    y = min(max(sticker.y, 1 - sticker.height), height - 1)
    return replace(sticker, x=x, y=y)


def scaled(sticker: Sticker, before: tuple[int, int], after: tuple[int, int]) -> Sticker:
    """Return the sticker at the same place of an image of another size, each size ``(height, width)``; at least one pixel large.

    Edges are rounded, not widths, so stickers that touched still touch.
    """
    _check(sticker)
    (from_height, from_width), (to_height, to_width) = checks.sides(before, "before"), checks.sides(after, "after")
    left, right = (round(edge * to_width / from_width) for edge in (sticker.x, sticker.right))
    top, bottom = (round(edge * to_height / from_height) for edge in (sticker.y, sticker.bottom))
    resized_to = replace(sticker, x=left, y=top, width=max(1, right - left), height=max(1, bottom - top))
    return kept_on_image(resized_to, to_height, to_width)


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


def check_stickers(stickers: Sequence[Sticker]) -> None:
    """Refuse an argument that is no sequence of stickers.

    Raises
    ------
    GibbonError
        The argument is no such sequence.
    """
    if not isinstance(stickers, Sequence) or isinstance(stickers, str):
        raise GibbonError(f"{named(stickers)} is no sequence of stickers. Give a tuple of them.")
    for sticker in stickers:
        _check(sticker)


def _check(sticker: Sticker) -> None:
    if not isinstance(sticker, Sticker):
        raise GibbonError(f"{named(sticker)} is no sticker. Give a Sticker.")


def _check_handle(handle: Handle) -> None:
    if handle not in HANDLES:
        raise GibbonError(f"{named(handle)} is no handle of a sticker. Give one of {', '.join(HANDLES)}.")
