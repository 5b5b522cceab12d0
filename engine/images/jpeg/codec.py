"""JPEG there and back in whole numbers, as libjpeg does it by default: what a file of that quality gives when it is opened again."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.images.jpeg.cosine import restored, transformed
from engine.images.jpeg.tables import tables

Subsampling = Literal["4:2:0", "4:4:4"]
_HALF = 1 << 15
_MIDDLE = 128 << 16


def compressed(levels: Tensor, quality: int | Tensor, subsampling: Subsampling) -> Tensor:
    """Return grey levels ``(N, C, H, W)``, int32 from 0 to 255, after compression and decompression; C is 1 (grey) or 3 (RGB).

    ``quality`` is one for all images, or one for each, ``(N,)``.
    """
    if levels.shape[1] == 1:
        return _component(levels, quality, chrominance=False)
    luminance, *chrominance = _to_ycc(levels)
    luminance = _component(luminance, quality, chrominance=False)
    if subsampling == "4:4:4":
        blue, red = (_component(part, quality, chrominance=True) for part in chrominance)
    else:
        height, width = levels.shape[2:]
        halves = (_component(_halved(part), quality, chrominance=True)[..., : -(-width // 2)] for part in chrominance)
        blue, red = (_doubled(part)[:, :, :height, :width] for part in halves)
    return _to_rgb(luminance, blue, red)


def _component(levels: Tensor, quality: int | Tensor, chrominance: bool) -> Tensor:
    """Return one component ``(N, 1, H, W)`` after quantisation of its coefficients."""
    blocks = in_blocks(levels - 128)
    steps = tables(quality, chrominance, levels.device)
    coefficients, divisor = transformed(blocks), steps << 3
    quantised = (coefficients.abs() + (divisor >> 1)).div(divisor, rounding_mode="floor") * coefficients.sign()
    values = (restored(quantised.int() * steps) + 128).clamp(0, 255)
    return from_blocks(values, levels.shape[2], levels.shape[3])


def in_blocks(values: Tensor) -> Tensor:
    """Return values ``(N, C, H, W)`` as blocks ``(N, C, H / 8, W / 8, 8, 8)``, with the last row and column repeated to fill them."""
    values = repeated(values, -values.shape[2] % 8, -values.shape[3] % 8)
    count, channels, height, width = values.shape
    return values.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)


def from_blocks(blocks: Tensor, height: int, width: int) -> Tensor:
    """Return the values ``(N, C, height, width)`` of `in_blocks`."""
    return blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)[:, :, :height, :width]


def repeated(values: Tensor, rows: int, columns: int) -> Tensor:
    """Return values with the last row and column repeated."""
    values = torch.cat([values, values[:, :, -1:].expand(-1, -1, rows, -1)], 2) if rows else values
    return torch.cat([values, values[..., -1:].expand(-1, -1, -1, columns)], 3) if columns else values


def _to_ycc(levels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    red, green, blue = levels[:, :1], levels[:, 1:2], levels[:, 2:]
    y = (19595 * red + 38470 * green + 7471 * blue + _HALF) >> 16
    cb = (-11059 * red - 21709 * green + 32768 * blue + _MIDDLE + _HALF - 1) >> 16
    cr = (32768 * red - 27439 * green - 5329 * blue + _MIDDLE + _HALF - 1) >> 16
    return y, cb, cr


def _to_rgb(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    cb, cr = cb - 128, cr - 128
    red = y + ((91881 * cr + _HALF) >> 16)
    green = y + ((-22554 * cb - 46802 * cr + _HALF) >> 16)
    blue = y + ((116130 * cb + _HALF) >> 16)
    return torch.cat([red, green, blue], 1).clamp(0, 255)


def _halved(levels: Tensor) -> Tensor:
    """Return the means of 2 x 2 pixels; halves are rounded up and down in turn from column to column.

    libjpeg fills the last blocks by repeating columns before the means are taken, and rows afterwards, so that only rows are left to fill.
    """
    levels = repeated(levels, levels.shape[2] % 2, -levels.shape[3] % 16)
    sums = levels[:, :, ::2, ::2] + levels[:, :, ::2, 1::2] + levels[:, :, 1::2, ::2] + levels[:, :, 1::2, 1::2]
    return (sums + 1 + torch.arange(sums.shape[3], dtype=torch.int32, device=levels.device) % 2) >> 2


def _doubled(levels: Tensor) -> Tensor:
    """Return the component at twice the size: every new pixel lies between old ones, 3 parts of the nearer and 1 of the farther.

    libjpeg repeats pixels instead where there are two columns at most.
    """
    if levels.shape[3] <= 2:
        return levels.repeat_interleave(2, 2).repeat_interleave(2, 3)
    above, below = (torch.cat(part, 2) for part in ([levels[:, :, :1], levels[:, :, :-1]], [levels[:, :, 1:], levels[:, :, -1:]]))
    rows = torch.stack([3 * levels + above, 3 * levels + below], 3).flatten(2, 3)
    left, right = (torch.cat(part, 3) for part in ([rows[..., :1], rows[..., :-1]], [rows[..., 1:], rows[..., -1:]]))
    return torch.stack([(3 * rows + left + 8) >> 4, (3 * rows + right + 7) >> 4], 4).flatten(3, 4)
