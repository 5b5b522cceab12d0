"""The attacker's stand-in for JPEG: the same steps in floating point, with a rounding that has a slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.images.jpeg.codec import Subsampling, from_blocks, in_blocks, repeated
from engine.images.jpeg.tables import tables

_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def smooth(levels: Tensor, quality: int | Tensor, subsampling: Subsampling) -> Tensor:
    """Return grey levels ``(N, C, H, W)`` in floating point after JPEG with `soft_round` in place of rounding.

    ``quality`` is one for all images, or one for each, ``(N,)``.
    """
    if levels.shape[1] == 1:
        return _component(levels, quality, chrominance=False)
    parts = _mixed(levels, _TO_YCC)
    luminance, chrominance = parts[:, :1], parts[:, 1:]
    if subsampling == "4:2:0":
        height, width = levels.shape[2:]
        halved = F.avg_pool2d(repeated(chrominance, height % 2, width % 2), 2)
        halved = _component(halved, quality, chrominance=True)
        chrominance = F.interpolate(halved, scale_factor=2, mode="bilinear", align_corners=False)[:, :, :height, :width]
    else:
        chrominance = _component(chrominance, quality, chrominance=True)
    return _mixed(torch.cat([_component(luminance, quality, chrominance=False), chrominance], 1), _TO_RGB)


def soft_round(values: Tensor) -> Tensor:
    """Return ``round(v) + (v - round(v))^3``, whose slope is 0 at whole numbers and 3/4 between (Shin, Song 2017)."""
    whole = values.round()
    return whole + (values - whole) ** 3


def _component(levels: Tensor, quality: int | Tensor, chrominance: bool) -> Tensor:
    steps, waves = tables(quality, chrominance, levels.device).to(levels.dtype), _cosines(levels.device).to(levels.dtype)
    coefficients = waves @ in_blocks(levels) @ waves.T
    values = waves.T @ (soft_round(coefficients / steps) * steps) @ waves
    return from_blocks(values, levels.shape[2], levels.shape[3])


def _mixed(levels: Tensor, weights: Sequence[tuple[float, float, float]]) -> Tensor:
    """Return sums of the three channels; chrominance stays without its offset of 128."""
    red, green, blue = levels[:, :1], levels[:, 1:2], levels[:, 2:]
    return torch.cat([of_red * red + of_green * green + of_blue * blue for of_red, of_green, of_blue in weights], 1)


@lru_cache(maxsize=8)
def _cosines(device: torch.device) -> Tensor:
    """Return the orthonormal cosine transform ``(8, 8)``."""
    rows = [[math.cos((2 * x + 1) * u * math.pi / 16) * math.sqrt((1 if u == 0 else 2) / 8) for x in range(8)] for u in range(8)]
    return torch.tensor(rows, dtype=torch.float32).to(device)
