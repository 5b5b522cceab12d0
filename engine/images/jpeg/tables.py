"""The standard quantisation tables of JPEG, scaled to a quality."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

# fmt: off
_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)
_CHROMINANCE = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
)
# fmt: on


def tables(quality: int | Tensor, chrominance: bool, device: torch.device) -> Tensor:
    """Return the table of `table` for one quality, or those for a quality of each image, ``(N,)``, as ``(N, 1, 1, 1, 8, 8)`` int32."""
    if isinstance(quality, int):
        return table(quality, chrominance, device)
    base = torch.tensor(_CHROMINANCE if chrominance else _LUMINANCE, dtype=torch.int32, device=device)
    whole = quality.to(device).round().int().clamp(1, 100)[:, None]
    scale = torch.where(whole < 50, torch.div(5000, whole, rounding_mode="floor"), 200 - 2 * whole)
    return torch.div(base * scale + 50, 100, rounding_mode="floor").clamp(1, 255).view(-1, 1, 1, 1, 8, 8)


@lru_cache(maxsize=64)
def table(quality: int, chrominance: bool, device: torch.device) -> Tensor:
    """Return the table ``(8, 8)``, int32, that libjpeg makes for a quality from 1 to 100 (ITU T.81, annex K, scaled)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    values = [min(255, max(1, (base * scale + 50) // 100)) for base in (_CHROMINANCE if chrominance else _LUMINANCE)]
    return torch.tensor(values, dtype=torch.int32).view(8, 8).to(device)
