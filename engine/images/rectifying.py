"""Rectification: a flat rectangle in a photograph as if it were seen from the front, each pixel averaged over what it covers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.images.homography import Corners, applied, square_to_quad
from engine.images.photograph import Photograph

_MOST = 64
"""Most samples along a side of one pixel of the output."""
_ENOUGH = 8
"""Pixels of the photograph along a pixel of the output from twice of which on they are averaged first."""
_CHUNK = 4_000_000
"""Samples that are taken at a time."""
_LUMA = (0.299, 0.587, 0.114)
"""Weights by which a colour becomes a grey, as in `Photograph.crop_to`."""


def rectified(photograph: Photograph, corners: Corners, height: int, width: int) -> Tensor:
    """Return the quadrilateral of a photograph as a rectangle, ``(3, height, width)`` in [0, 1].

    A pixel is the mean of ``down * across`` points of the photograph, bilinearly interpolated, which are as many as it has pixels there at
    its longest sides. So no detail is skipped where the photograph is larger. Where it is very much larger, whole squares of its pixels are
    averaged first. The four corners of an image itself, at its own size, give the image back.

    Parameters
    ----------
    photograph
        The photograph; a grey one has three equal channels.
    corners
        The rectangle's corners, see `engine.images.homography.checked_corners`.
    height, width
        The size of the output in pixels.
    """
    part, corners = _around(photograph, corners, height, width)
    matrix = square_to_quad(corners)
    down, across = samples_for(corners, height, width)
    u = (torch.arange(width * across, dtype=torch.float64) + 0.5) / (width * across)
    rows = max(1, _CHUNK // (width * down * across))
    made = []
    for first in range(0, height, rows):
        last = min(first + rows, height)
        v = (torch.arange(first * down, last * down, dtype=torch.float64) + 0.5) / (height * down)
        points = applied(matrix, torch.stack([u[None, :].expand(len(v), -1), v[:, None].expand(-1, len(u))], -1))
        made.append(_averaged(part, points, (down, across)))
    return torch.cat(made, 1).clamp(0, 1)


def samples_for(corners: Corners, height: int, width: int) -> tuple[int, int]:
    """Return the samples down and across an output pixel: the pixels of the photograph along it at the longer of two opposite sides."""
    a, b, c, d = corners
    down, across = max(math.dist(b, c), math.dist(a, d)) / height, max(math.dist(a, b), math.dist(d, c)) / width
    return _whole(down), _whole(across)


def _whole(pixels: float) -> int:
    return min(_MOST, max(1, math.ceil(pixels - 1e-9)))


def in_channels_of(image: Tensor, channels: int) -> Tensor:
    """Return a colour image ``(3, H, W)`` for a classifier of that many channels: one is 0.299 R + 0.587 G + 0.114 B."""
    if channels == 1:
        return torch.einsum("c,chw->hw", torch.tensor(_LUMA, dtype=image.dtype), image)[None]
    return image


def _averaged(part: Tensor, points: Tensor, samples: tuple[int, int]) -> Tensor:
    """Sample ``part`` ``(3, h, w)`` at points ``(rows, columns, 2)``, and average rectangles of ``samples`` down and across."""
    sides = torch.tensor([part.shape[2], part.shape[1]], dtype=torch.float64)
    grid = (2 * points / sides - 1)[None]
    # In float64, so that the middles of pixels give their values exactly.
    found = functional.grid_sample(part[None], grid, mode="bilinear", padding_mode="border", align_corners=False)
    return functional.avg_pool2d(found, samples)[0].float()


def _around(photograph: Photograph, corners: Corners, height: int, width: int) -> tuple[Tensor, Corners]:
    """Return the pixels around the corners ``(3, h, w)`` in float64, and the corners there: a photograph may have 100 megapixels.

    Where each pixel of the output has many pixels of the photograph, squares of them are averaged, so that ``_ENOUGH`` or more are left.
    """
    from PIL import Image

    size = photograph.size
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    left, top = max(0, math.floor(min(xs)) - 2), max(0, math.floor(min(ys)) - 2)
    right, bottom = min(size[0], math.ceil(max(xs)) + 2), min(size[1], math.ceil(max(ys)) + 2)
    cut: npt.NDArray[Any] = np.ascontiguousarray(photograph.pixels[top:bottom, left:right])
    factor = max(1, min(_along(corners, height, width)) // _ENOUGH)
    if factor > 1:
        cut = np.asarray(Image.fromarray(cut).reduce(factor))
    a, b, c, d = (((x - left) / factor, (y - top) / factor) for x, y in corners)
    values = torch.from_numpy(cut.astype(np.float64) / 255)
    return (values.expand(3, -1, -1) if values.dim() == 2 else values.permute(2, 0, 1)), (a, b, c, d)


def _along(corners: Corners, height: int, width: int) -> tuple[int, int]:
    """Return the whole pixels of the photograph down and across an output pixel at the shorter of two opposite sides."""
    a, b, c, d = corners
    return int(min(math.dist(b, c), math.dist(a, d)) / height), int(min(math.dist(a, b), math.dist(d, c)) / width)
