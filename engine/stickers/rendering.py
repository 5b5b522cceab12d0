"""Rendering of stickers: coverage, mask, and painting over an image in z-order. Differentiable in image and contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from engine.stickers import checks
from engine.stickers.content import filled, layer_over
from engine.stickers.shadow import reach, with_penumbra
from engine.stickers.shapes import Shape
from engine.stickers.sticker import Colour, Optimised, Shadow, Sticker, check_stickers


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
    """Return the share of each pixel that the sticker covers, ``(1, H, W)``: its opacity times the share within its shape.

    A hidden sticker covers nothing. A shadow's share is lower at its soft edge, see `engine.stickers.shadow.with_penumbra`.
    """
    check_stickers((sticker,))
    covered = torch.zeros(1, *checks.sides((height, width), "of the image"))
    if not sticker.visible:
        return covered
    rows, columns = _clipped(sticker, height, width)
    covered[:, rows, columns] = sticker.opacity * _shape_within(sticker, rows, columns)
    return covered


def paint(image: Tensor, stickers: Sequence[Sticker]) -> Tensor:
    """Paint the visible stickers over ``image`` ``(C, H, W)``, the last on top, into a new tensor."""
    _, height, width = checks.picture(image, "image").shape
    check_stickers(stickers)
    painted = image
    for sticker in (each for each in stickers if each.visible):
        rows, columns = _clipped(sticker, height, width)
        painted = painted.clone() if painted is image else painted
        below = painted[:, rows, columns]
        layer = layer_over(sticker, below, rows, columns)
        if isinstance(sticker.content, Shadow):
            covered = (sticker.opacity * _shape_within(sticker, rows, columns)).to(below)
            painted[:, rows, columns] = below + covered * (layer - below)  # exactly below where nothing is darkened
        elif _fills_pixels(sticker):
            painted[:, rows, columns] = layer if sticker.opacity == 1 else (1 - sticker.opacity) * below + sticker.opacity * layer
        else:
            covered = (sticker.opacity * _shape_within(sticker, rows, columns)).to(below)
            painted[:, rows, columns] = (1 - covered) * below + covered * layer
    return painted


def compose(clean: Tensor, stickers: Sequence[Sticker]) -> Composition:
    """Compose the clean image ``(C, H, W)`` with its stickers, and the mask for an attack on them.

    A fixed sticker above an optimised one hides it, so the covered pixels are outside of the mask. A shadow counts as one: the content that
    it darkens stays as it is. Where both are partly visible, ``base`` is chosen so that ``(1 - mask) * base + mask * content`` equals the
    painted image. Hidden stickers are left out.
    """
    _, height, width = checks.picture(clean, "image").shape
    check_stickers(stickers)
    stickers = [sticker for sticker in stickers if sticker.visible]
    mask, mixed = torch.zeros(1, height, width), torch.zeros(1, height, width, dtype=torch.bool)
    fixed = [sticker for sticker in stickers if not isinstance(sticker.content, Optimised)]
    optimised = [sticker for sticker in stickers if isinstance(sticker.content, Optimised)]
    for sticker in stickers:
        rows, columns = _clipped(sticker, height, width)
        covered, below = sticker.opacity * _shape_within(sticker, rows, columns), mask[:, rows, columns]
        if isinstance(sticker.content, Optimised):
            mask[:, rows, columns] = (1 - covered) * below + covered
        else:
            partly = covered > 0 if isinstance(sticker.content, Shadow) else (covered > 0) & (covered != 1)
            mixed[:, rows, columns] |= (below > 0) & partly
            mask[:, rows, columns] = below * (1 - covered)
    base, mask = paint(clean, fixed), mask.to(clean)
    if bool(mixed.any()):
        rest = _without_optimised(clean, stickers)
        base = torch.where(mixed.to(clean.device), (rest / (1 - mask).clamp_min(1e-6)).clamp(0, 1), base)
    shown = paint(clean, stickers)
    return Composition(base, shown, mask if optimised else None, _content_shown(base, shown, mask, optimised))


def _without_optimised(clean: Tensor, stickers: Sequence[Sticker]) -> Tensor:
    """Return the painted image minus what its optimised stickers add to it, each by its share."""
    black = Colour((0.0, 0.0, 0.0))
    if not any(isinstance(sticker.content, Shadow) for sticker in stickers):
        return paint(clean, [replace(each, content=black) if isinstance(each.content, Optimised) else each for each in stickers])
    added = torch.zeros_like(clean)  # what a shadow darkens depends on the content below it, so only the content's own share is taken away
    for sticker in stickers:
        covered = coverage(sticker, *clean.shape[1:]).to(clean)
        added = (1 - covered) * added
        if isinstance(sticker.content, Optimised):
            added = added + covered * layer_over(sticker, clean, slice(0, clean.shape[1]), slice(0, clean.shape[2]))
    return paint(clean, stickers) - added


def _content_shown(base: Tensor, shown: Tensor, mask: Tensor, optimised: Sequence[Sticker]) -> Tensor:
    """Return the content of the optimised stickers as if opaque, on ``base``."""
    if all(_fills_pixels(sticker) for sticker in optimised):
        return paint(base, [replace(sticker, opacity=1.0) for sticker in optimised])
    # Where a shape covers a part of a pixel, the content is the shown value minus the share of the base.
    apart = ((shown - (1 - mask) * base) / mask.clamp_min(1e-6)).clamp(0, 1)
    return torch.where(mask > 0, apart, base)


def with_content(stickers: Sequence[Sticker], image: Tensor) -> tuple[Sticker, ...]:
    """Return the stickers, with the content of optimised ones taken from ``image`` ``(C, H, W)`` where they are visible.

    Pixels off the image or under a covering sticker keep their content, and so do hidden stickers.
    """
    _, height, width = checks.picture(image, "image").shape
    check_stickers(stickers)
    taken, here = [], image.detach().cpu()
    shown = torch.ones(1, height, width, dtype=torch.bool)
    for sticker in reversed(stickers):
        if isinstance(sticker.content, Optimised) and sticker.visible:
            taken.append(replace(sticker, content=filled(sticker, here, shown)))
        else:
            taken.append(sticker)
        if sticker.visible:  # it covers those below
            rows, columns = _clipped(sticker, height, width)
            shown[:, rows, columns] &= sticker.opacity * _shape_within(sticker, rows, columns) < 1
    return tuple(reversed(taken))


def _fills_pixels(sticker: Sticker) -> bool:
    """Return whether every pixel that the sticker touches is covered completely."""
    soft = isinstance(sticker.content, Shadow) and sticker.content.blur > 1
    return sticker.shape.fills_its_box and sticker.on_pixels and not soft


def _shape_within(sticker: Sticker, rows: slice, columns: slice) -> Tensor:
    """Return the share of the sticker's shape in the pixels at ``rows`` and ``columns`` of the image, ``(1, h, w)``."""
    size = rows.stop - rows.start, columns.stop - columns.start
    if _fills_pixels(sticker):
        return torch.ones(1, *size)
    blur = sticker.content.blur if isinstance(sticker.content, Shadow) else 0.0
    frame = sticker.x - columns.start, sticker.y - rows.start, sticker.width, sticker.height, sticker.angle
    return _share(sticker.shape, frame, *size, blur)


@lru_cache(maxsize=256)
def _share(shape: Shape, frame: tuple[float, ...], height: int, width: int, blur: float) -> Tensor:
    """Return the coverage of a shape, kept since a sticker that is dragged by whole pixels has the same at each place. Never written to."""
    beyond = reach(blur)  # the shape goes on beyond the image, where its edge is no edge of the shadow
    within = torch.tensor(frame, dtype=torch.float64) + torch.tensor([beyond, beyond, 0, 0, 0])
    soft = with_penumbra(shape.coverage_at(within, height + 2 * beyond, width + 2 * beyond), blur)
    return soft[beyond : beyond + height, beyond : beyond + width].float()[None]


def _clipped(sticker: Sticker, height: int, width: int) -> tuple[slice, slice]:
    """Return the rows and columns of the image that the sticker touches."""
    left, top, right, bottom = sticker.outer
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    return slice(top, max(top, bottom)), slice(left, max(left, right))
