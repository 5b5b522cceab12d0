"""Rendering of stickers: coverage, mask, and painting over an image in z-order. Differentiable in image and contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from engine.stickers import checks
from engine.stickers.content import content_at, filled
from engine.stickers.shapes import Shape
from engine.stickers.sticker import Colour, Optimised, Sticker, check_stickers


@dataclass(frozen=True, eq=False)
class Composition:
    """An image composed with its stickers, ready for an attack."""

    base: Tensor
    """The clean image with the fixed stickers painted over it, ``(C, H, W)``."""
    shown: Tensor
    """The image with all stickers in their present state, ``(C, H, W)``."""
    mask: Tensor | None
    """Visibility of the optimised stickers, ``(1, H, W)``; None where there are none."""
    content: Tensor
    """Present content of the optimised stickers, as if opaque, on ``base``, ``(C, H, W)``: a sticker attack continues from it."""


def coverage(sticker: Sticker, height: int, width: int) -> Tensor:
    """Return the share of each pixel that the sticker covers, ``(1, H, W)``: its opacity times the share within its shape."""
    check_stickers((sticker,))
    covered = torch.zeros(1, *checks.sides((height, width), "of the image"))
    rows, columns = _clipped(sticker, height, width)
    covered[:, rows, columns] = sticker.opacity * _shape_within(sticker, rows, columns)
    return covered


def paint(image: Tensor, stickers: Sequence[Sticker]) -> Tensor:
    """Paint the stickers over ``image`` ``(C, H, W)``, the last on top, into a new tensor."""
    channels, height, width = checks.picture(image, "image").shape
    check_stickers(stickers)
    painted = image
    for sticker in stickers:
        rows, columns = _clipped(sticker, height, width)
        layer = content_at(sticker, channels, rows, columns).to(image)
        painted = painted.clone() if painted is image else painted
        below = painted[:, rows, columns]
        if _fills_pixels(sticker):
            painted[:, rows, columns] = layer if sticker.opacity == 1 else (1 - sticker.opacity) * below + sticker.opacity * layer
        else:
            covered = (sticker.opacity * _shape_within(sticker, rows, columns)).to(below)
            painted[:, rows, columns] = (1 - covered) * below + covered * layer
    return painted


def compose(clean: Tensor, stickers: Sequence[Sticker]) -> Composition:
    """Compose the clean image ``(C, H, W)`` with its stickers, and the mask for an attack on them.

    A fixed sticker above an optimised one hides it, so the covered pixels are outside of the mask. Where both are partly visible, ``base``
    is chosen so that ``(1 - mask) * base + mask * content`` equals the painted image.
    """
    _, height, width = checks.picture(clean, "image").shape
    check_stickers(stickers)
    mask, mixed = torch.zeros(1, height, width), torch.zeros(1, height, width, dtype=torch.bool)
    fixed = [sticker for sticker in stickers if not isinstance(sticker.content, Optimised)]
    optimised = [sticker for sticker in stickers if isinstance(sticker.content, Optimised)]
    for sticker in stickers:
        covered = coverage(sticker, height, width)
        if isinstance(sticker.content, Optimised):
            mask = (1 - covered) * mask + covered
        else:
            mixed |= (mask > 0) & (covered > 0) & (covered < 1)
            mask = mask * (1 - covered)
    base, mask = paint(clean, fixed), mask.to(clean)
    if bool(mixed.any()):
        black = {sticker.id: replace(sticker, content=Colour((0.0, 0.0, 0.0))) for sticker in optimised}
        rest = paint(clean, [black.get(sticker.id, sticker) for sticker in stickers])
        base = torch.where(mixed.to(clean.device), (rest / (1 - mask).clamp_min(1e-6)).clamp(0, 1), base)
    shown = paint(clean, stickers)
    return Composition(base, shown, mask if optimised else None, _content_shown(base, shown, mask, optimised))


def _content_shown(base: Tensor, shown: Tensor, mask: Tensor, optimised: Sequence[Sticker]) -> Tensor:
    """Return the content of the optimised stickers as if opaque, on ``base``."""
    if all(_fills_pixels(sticker) for sticker in optimised):
        return paint(base, [replace(sticker, opacity=1.0) for sticker in optimised])
    # Where a shape covers a part of a pixel, the content is the shown value minus the share of the base.
    apart = ((shown - (1 - mask) * base) / mask.clamp_min(1e-6)).clamp(0, 1)
    return torch.where(mask > 0, apart, base)


def with_content(stickers: Sequence[Sticker], image: Tensor) -> tuple[Sticker, ...]:
    """Return the stickers, with the content of optimised ones taken from ``image`` ``(C, H, W)`` where they are visible.

    Pixels off the image or under a covering sticker keep their content.
    """
    _, height, width = checks.picture(image, "image").shape
    check_stickers(stickers)
    taken = []
    for place, sticker in enumerate(stickers):
        if isinstance(sticker.content, Optimised):
            shown = torch.ones(1, height, width, dtype=torch.bool)
            for above in stickers[place + 1 :]:
                shown &= coverage(above, height, width) < 1
            sticker = replace(sticker, content=filled(sticker, image.detach().cpu(), shown))
        taken.append(sticker)
    return tuple(taken)


def _fills_pixels(sticker: Sticker) -> bool:
    """Return whether every pixel that the sticker touches is covered completely."""
    return sticker.shape.fills_its_box and sticker.on_pixels


def _shape_within(sticker: Sticker, rows: slice, columns: slice) -> Tensor:
    """Return the share of the sticker's shape in the pixels at ``rows`` and ``columns`` of the image, ``(1, h, w)``."""
    size = rows.stop - rows.start, columns.stop - columns.start
    if _fills_pixels(sticker):
        return torch.ones(1, *size)
    frame = sticker.x - columns.start, sticker.y - rows.start, sticker.width, sticker.height, sticker.angle
    return _share(sticker.shape, frame, *size)


@lru_cache(maxsize=256)
def _share(shape: Shape, frame: tuple[float, ...], height: int, width: int) -> Tensor:
    """Return the coverage of a shape, kept since a sticker that is dragged by whole pixels has the same at each place. Never written to."""
    return shape.coverage_at(torch.tensor(frame, dtype=torch.float64), height, width).float()[None]


def _clipped(sticker: Sticker, height: int, width: int) -> tuple[slice, slice]:
    """Return the rows and columns of the image that the sticker touches."""
    left, top, right, bottom = sticker.outer
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    return slice(top, max(top, bottom)), slice(left, max(left, right))
