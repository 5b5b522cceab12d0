"""Brush strokes over the pixels of an image, and the brushed stickers that they make, extend and take from."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.stickers import checks
from engine.stickers.content import content_at
from engine.stickers.frames import Box
from engine.stickers.shapes import Brushed
from engine.stickers.sticker import Colour, Content, Optimised, Pixels, Sticker, check_sticker
from engine.text.parsing import named

_TIE = 1e-6
"""Slack for a pixel whose middle lies exactly on the edge of the brush."""


def check_radius(radius: object) -> int:
    """Return the radius of a brush in pixels.

    Raises
    ------
    GibbonError
        The radius is no whole number, or less than 1.
    """
    if not isinstance(radius, int) or isinstance(radius, bool) or radius < 1:
        raise GibbonError(f"A brush of radius {named(radius)} paints nothing. Give a whole number of pixels, at least 1: a single pixel.")
    return radius


class Stroke:
    """The pixels of an image that a brush covers along its way.

    The brush is a disc about the middle of the pixel under the mouse. A pixel is covered if its middle is at most ``radius - 1/2`` away
    from the way, so a radius of 1 is a single pixel.
    """

    def __init__(self, height: int, width: int, radius: int) -> None:
        self.covered = torch.zeros(*checks.sides((height, width), "of the image"), dtype=torch.bool)
        """``(H, W)``: whether each pixel is covered so far."""
        self._reach = check_radius(radius) - 0.5
        self._last: tuple[float, float] | None = None
        self._box: Box | None = None

    @property
    def box(self) -> Box:
        """The left, top, right and bottom edge of the part that the brush has been over, on the image."""
        return self._box or (0, 0, 0, 0)

    def reach(self, x: float, y: float) -> None:
        """Lead the brush in a straight line to a point of the image, in pixels; the first point begins the stroke."""
        checks.point(x, y)
        to = math.floor(x) + 0.5, math.floor(y) + 0.5
        start, self._last = self._last or to, to
        height, width = self.covered.shape
        left, right = (_clip(edge, width) for edge in (min(start[0], to[0]) - self._reach, max(start[0], to[0]) + self._reach + 1))
        top, bottom = (_clip(edge, height) for edge in (min(start[1], to[1]) - self._reach, max(start[1], to[1]) + self._reach + 1))
        if left >= right or top >= bottom:
            return
        near = _distance(start, to, left, top, right, bottom) <= self._reach + _TIE
        self.covered[top:bottom, left:right] |= near
        box = self._box or (left, top, right, bottom)
        self._box = min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom)


def brushed(id: int, covered: Tensor, content: Content | None = None) -> Sticker:
    """Return the sticker that covers the pixels of a stroke, ``(H, W)`` bool, a cell for each.

    Raises
    ------
    GibbonError
        No pixel is covered.
    """
    box = _bounds(covered)
    if box is None:
        raise GibbonError("Nothing is covered by the brush. Paint at least one pixel.")
    left, top, right, bottom = box
    shape = Brushed.of(covered[top:bottom, left:right].float())
    return Sticker(id, left, top, right - left, bottom - top, content or Colour(), shape=shape)


def disc(id: int, height: int, width: int, radius: int, content: Content | None = None) -> Sticker:
    """Return the sticker of a single dab in the middle of an image of a height and width."""
    stroke = Stroke(height, width, radius)
    stroke.reach(width / 2, height / 2)
    return brushed(id, stroke.covered, content)


def extended(sticker: Sticker, covered: Tensor) -> Sticker:
    """Return the sticker with the pixels of a stroke, ``(H, W)`` bool, added; it is upright on whole pixels then, and looks as it did.

    Raises
    ------
    GibbonError
        The sticker would be too large.
    """
    check_sticker(sticker)
    added = _bounds(covered)
    if added is None:
        return sticker
    left, top, right, bottom = (
        (min if place < 2 else max)(ours, theirs) for place, (ours, theirs) in enumerate(zip(sticker.outer, added, strict=True))
    )
    levels = _levels(sticker, (left, top, right, bottom))
    inner = levels[added[1] - top : added[3] - top, added[0] - left : added[2] - left]
    before = levels.clone()
    inner[covered[added[1] : added[3], added[0] : added[2]]] = 1.0
    return sticker if torch.equal(before, levels) else _reshaped(sticker, left, top, levels)


def erased(sticker: Sticker, covered: Tensor) -> Sticker | None:
    """Return the sticker without the pixels of a stroke, ``(H, W)`` bool; None if nothing is left of it.

    A sticker of any shape becomes a brushed one, upright on whole pixels, that looks the same elsewhere.

    Raises
    ------
    GibbonError
        The sticker is too large.
    """
    check_sticker(sticker)
    left, top, right, bottom = sticker.outer
    height, width = covered.shape
    rows, columns = slice(max(top, 0), max(0, min(bottom, height))), slice(max(left, 0), max(0, min(right, width)))
    if rows.start >= rows.stop or columns.start >= columns.stop or not bool(covered[rows, columns].any()):
        return sticker
    levels = _levels(sticker, sticker.outer)
    inner = levels[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if not bool(inner[covered[rows, columns]].any()):
        return sticker
    inner[covered[rows, columns]] = 0.0
    return _reshaped(sticker, left, top, levels) if bool((levels >= 0.5 / 255).any()) else None


def content_for(now: Sticker, painted: Sticker) -> Content:
    """Return the content of ``painted`` for the same sticker as it is now.

    Where the brush has changed its shape, each pixel of the image keeps what it shows; elsewhere the content goes along with the box.
    """
    brushed_since = isinstance(now.shape, Brushed) and now.shape != painted.shape and now.on_pixels
    if not brushed_since or now.outer == painted.outer:
        return painted.content
    left, top, right, bottom = now.outer
    return _content_in(painted, slice(top, bottom), slice(left, right))


def _levels(sticker: Sticker, box: Box) -> Tensor:
    """Return the share of each pixel in a box of the image that the sticker's shape covers, ``(h, w)``."""
    left, top, right, bottom = box
    checks.drawable(bottom - top, right - left)
    frame = torch.tensor([sticker.x - left, sticker.y - top, sticker.width, sticker.height, sticker.angle], dtype=torch.float64)
    return sticker.shape.coverage_at(frame, bottom - top, right - left).float().clone()


def _reshaped(sticker: Sticker, left: int, top: int, levels: Tensor) -> Sticker:
    """Return the sticker upright with a cell for each pixel, cut to those that are covered; its content stays where it was."""
    box = _bounds(levels >= 0.5 / 255)
    assert box is not None
    shape = Brushed.of(levels[box[1] : box[3], box[0] : box[2]].clamp(0, 1))
    x, y, width, height = left + box[0], top + box[1], box[2] - box[0], box[3] - box[1]
    same = (x, y, width, height, 0) == (sticker.x, sticker.y, sticker.width, sticker.height, sticker.angle)
    content = sticker.content if same else _content_in(sticker, slice(y, y + height), slice(x, x + width))
    return replace(sticker, x=x, y=y, width=width, height=height, angle=0, shape=shape, content=content)


def _content_in(sticker: Sticker, rows: slice, columns: slice) -> Content:
    """Return the content for another box, such that each pixel of the image keeps what it shows."""
    content = sticker.content
    if not isinstance(content, Pixels | Optimised) or content.image is None:
        return content
    shown = content_at(sticker, len(content.image), rows, columns).clone()
    return Pixels(shown, content.name) if isinstance(content, Pixels) else Optimised(shown)


def _bounds(covered: Tensor) -> Box | None:
    """Return the box of whole pixels around those that are covered; None if there are none."""
    rows, columns = covered.any(1).nonzero()[:, 0], covered.any(0).nonzero()[:, 0]
    if len(rows) == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _distance(start: tuple[float, float], to: tuple[float, float], left: int, top: int, right: int, bottom: int) -> Tensor:
    """Return the distance of the middles of pixels from a line between two points, ``(h, w)``."""
    x = torch.arange(left, right, dtype=torch.float64)[None, :] + 0.5 - start[0]
    y = torch.arange(top, bottom, dtype=torch.float64)[:, None] + 0.5 - start[1]
    dx, dy = to[0] - start[0], to[1] - start[1]
    squared = dx * dx + dy * dy
    along = ((x * dx + y * dy) / squared).clamp(0, 1) if squared else torch.zeros(())
    return torch.hypot(x - along * dx, y - along * dy)


def _clip(edge: float, side: int) -> int:
    return min(max(math.floor(edge), 0), side)
