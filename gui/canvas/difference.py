"""The difference of two images as colours: red where the second is higher, blue where it is lower, white where they agree.

The engine thread reduces the two images to one signed value at each pixel, in 65,535 steps. The window then only looks up a colour
for each step, so that another gain costs a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.channels import strongest_channel
from gui.plots.colour_maps import DIVERGING

if TYPE_CHECKING:
    from torch import Tensor

_ZERO = 32768
_STEPS = 32767


@dataclass(frozen=True, eq=False)
class Difference:
    """The signed difference of two images."""

    steps: np.ndarray
    """``(H, W)`` uint16: ``32768 + 32767 * difference / largest``, of the channel that differs most."""
    largest: float
    """The largest magnitude; 0 if the images are equal."""


def signed_difference(first: Tensor, second: Tensor) -> Difference:
    """Return ``second - first`` of two images ``(C, H, W)`` in [0, 1]. Called in the engine thread."""
    values = strongest_channel((second - first).detach().cpu().numpy())
    largest = float(np.abs(values).max(initial=0.0))
    share = values / largest if largest > 0 else np.zeros_like(values)
    return Difference(np.round(_ZERO + _STEPS * share).astype(np.uint16), largest)


def limit_of(difference: Difference, gain: int | None) -> float:
    """Return the value at the end of the colour scale: ``1 / gain``, or the largest difference for None."""
    if gain is not None:
        return 1 / gain
    return difference.largest or 1 / 255


def coloured(difference: Difference, limit: float) -> np.ndarray:
    """Return the colours ``(H, W, 4)`` uint8 of a difference on the scale from -limit to limit."""
    values = (np.arange(2 * _ZERO) - _ZERO) * (difference.largest / _STEPS)
    table = np.full((2 * _ZERO, 4), 255, np.uint8)
    table[:, :3] = DIVERGING[(np.clip(values / limit, -1, 1) * 127.5 + 127.5).round().astype(np.uint8)]
    found: np.ndarray = table.view(np.uint32)[:, 0][difference.steps]
    return found.view(np.uint8).reshape(*difference.steps.shape, 4)


def limit_text(limit: float) -> str:
    """Write the end of the scale: as a fraction of 255 where it is one, up to the rounding of an image, else with three digits."""
    from engine.text.formatting import format_norm

    levels = 255 * limit
    whole = round(levels)
    return f"{whole}/255" if 0 < whole < 255 and abs(levels - whole) < 0.005 else format_norm(limit)
