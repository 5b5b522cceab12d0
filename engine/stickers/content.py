"""Content of stickers as pixels: of the sticker's own box, and of the image where the sticker lies, also rotated and between pixels."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import GibbonError
from engine.images.lightness import darkened
from engine.stickers import checks
from engine.stickers.frames import to_image, to_unit
from engine.stickers.sticker import Colour, Optimised, Shadow, Sticker, check_stickers


def content_of(sticker: Sticker, channels: int) -> Tensor:
    """Return the sticker's own pixels before its rotation, ``(C, height, width)``, sizes rounded up; a picture is stretched (bilinear).

    Raises
    ------
    GibbonError
        The sticker is a shadow, whose pixels depend on what lies below it.
    """
    check_stickers((sticker,))
    channels, size = checks.side(channels, "number of channels"), (math.ceil(sticker.height), math.ceil(sticker.width))
    content = sticker.content
    if isinstance(content, Shadow):
        raise GibbonError("A shadow has no pixels of its own, since it darkens what lies below it. Paint it over an image.")
    if isinstance(content, Colour):
        return in_channels(torch.tensor(content.rgb).reshape(3, 1, 1), channels).expand(channels, *size)
    if content.image is None:
        return torch.full((channels, 1, 1), 0.5).expand(channels, *size)
    image = in_channels(content.image, channels)
    checks.drawable(*size)
    if isinstance(content, Optimised) and content.frame is not None:
        return _optimised(image, content.frame, *_unit_grid(*size))
    if tuple(image.shape[1:]) == size:
        return image
    return F.interpolate(image[None], size, mode="bilinear", align_corners=False, antialias=True)[0].clamp(0, 1)


def content_at(sticker: Sticker, channels: int, rows: slice, columns: slice) -> Tensor:
    """Return the content in the pixels at ``rows`` and ``columns`` of the image, ``(C, h, w)``, as if the sticker covered all of them."""
    size = rows.stop - rows.start, columns.stop - columns.start
    content = sticker.content
    assert not isinstance(content, Shadow), "a shadow has pixels only over an image: see `layer_over`"
    if isinstance(content, Colour):
        return in_channels(torch.tensor(content.rgb).reshape(3, 1, 1), channels).expand(channels, *size)
    if content.image is None:
        return torch.full((channels, 1, 1), 0.5).expand(channels, *size)
    if isinstance(content, Optimised) and content.frame is not None:
        crop = _whole_shift(sticker, content.frame)
        if crop is not None:
            return _cropped(in_channels(content.image, channels), rows, columns, *crop)
        return _optimised(in_channels(content.image, channels), content.frame, *_units(sticker, rows, columns))
    own = content_of(sticker, channels)
    if sticker.on_pixels:
        return _cropped(own, rows, columns, int(sticker.x), int(sticker.y))
    u, v = _units(sticker, rows, columns)
    return _sampled(own, 2 * u - 1, 2 * v - 1)


def layer_over(sticker: Sticker, below: Tensor, rows: slice, columns: slice) -> Tensor:
    """Return the pixels ``(C, h, w)`` that the sticker shows over ``below`` ``(C, h, w)``, as if it covered all of them."""
    if isinstance(sticker.content, Shadow):
        return darkened(below, sticker.content.kappa)
    return content_at(sticker, len(below), rows, columns).to(below)


def filled(sticker: Sticker, image: Tensor, shown: Tensor) -> Optimised:
    """Return the sticker's content taken from an image, where ``shown``; elsewhere, and off the image, it stays what it was.

    Parameters
    ----------
    sticker
        A sticker with content to be optimised.
    image
        ``(C, H, W)`` on the CPU.
    shown
        ``(1, H, W)`` bool.

    Returns
    -------
    Optimised
        On an upright sticker on whole pixels, one pixel for each of its box; else the pixels of its `Sticker.outer` box, with their place.
    """
    left, top, right, bottom = sticker.outer
    checks.drawable(bottom - top, right - left)
    content = content_at(sticker, len(image), slice(top, bottom), slice(left, right)).clone()
    _, height, width = image.shape
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        new = image[:, rows, columns].to(content)
        content[:, inner[0], inner[1]] = torch.where(shown[:, rows, columns], new, content[:, inner[0], inner[1]])
    if sticker.on_pixels:
        return Optimised(content)
    return Optimised(content, (sticker.x - left, sticker.y - top, sticker.width, sticker.height, sticker.angle))


def in_channels(image: Tensor, channels: int) -> Tensor:
    """Return a picture with another number of channels: its mean in each."""
    if len(image) == channels:
        return image
    return image.mean(0, keepdim=True).expand(channels, *image.shape[1:])


def _whole_shift(sticker: Sticker, frame: tuple[float, ...]) -> tuple[int, int] | None:
    """Return the left and top edge of the content on the image, where the sticker has moved by whole pixels only; None elsewhere."""
    if frame[2:] != (sticker.width, sticker.height, sticker.angle):
        return None
    left, top = sticker.x - frame[0], sticker.y - frame[1]
    if abs(left - round(left)) > 1e-6 or abs(top - round(top)) > 1e-6:
        return None
    return round(left), round(top)


def _cropped(content: Tensor, rows: slice, columns: slice, left: int, top: int) -> Tensor:
    """Return pixels of content whose first pixel lies at ``left`` and ``top``; its edge is continued."""
    down, across = (torch.arange(part.start - first, part.stop - first) for part, first in ((rows, top), (columns, left)))
    if content.shape[1] >= rows.stop - top and content.shape[2] >= columns.stop - left and rows.start >= top and columns.start >= left:
        return content[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return content[:, down.clamp(0, content.shape[1] - 1)][:, :, across.clamp(0, content.shape[2] - 1)]


def _units(sticker: Sticker, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
    """Return u and v of the middles of pixels, each ``(h, w)``."""
    y, x = (torch.arange(part.start, part.stop, dtype=torch.float64) + 0.5 for part in (rows, columns))
    return to_unit(sticker.frame, x[None, :], y[:, None])


def _unit_grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    v, u = ((torch.arange(side, dtype=torch.float64) + 0.5) / side for side in (height, width))
    return u[None, :].expand(height, width), v[:, None].expand(height, width)


def _optimised(image: Tensor, frame: tuple[float, ...], u: Tensor, v: Tensor) -> Tensor:
    """Sample content at points of the unit square of the sticker that it was optimised on."""
    points = to_image(torch.tensor(frame, dtype=torch.float64), torch.stack([u, v], -1).reshape(-1, 2)).reshape(*u.shape, 2)
    return _sampled(image, 2 * points[..., 0] / image.shape[2] - 1, 2 * points[..., 1] / image.shape[1] - 1)


def _sampled(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample a picture ``(C, h, w)`` at points in [-1, 1], bilinearly; its edge is continued.

    In float64, so that the middles of pixels give their values exactly.
    """
    grid = torch.stack([x, y], -1)[None]
    sampled = F.grid_sample(image[None].double(), grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
    return sampled.to(image).clamp(0, 1)
