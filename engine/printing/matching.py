"""Match of a rectified photograph and the digital image that was printed."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.images.homography import ORDER

LEAST_MATCH = 0.25
"""Least correlation of the brightness of photograph and original."""
_TURNED = 0.5
_MARGIN = 0.2
"""By how much more the photograph must correlate when it is turned to be refused as turned."""


def match(photographed: Tensor, original: Tensor) -> float:
    """Return the correlation of two images' brightness, from -1 to 1; 0 where one of them has none. Both are ``(C, H, W)``."""
    a, b = (image.double().mean(0) for image in (photographed, original))
    a, b = a - a.mean(), b - b.mean()
    scale = float((a.square().sum() * b.square().sum()).sqrt())
    return float((a * b).sum()) / scale if scale > 1e-9 else 0.0


def checked_match(photographed: Tensor, original: Tensor) -> float:
    """Return the correlation of a rectified photograph with the original at the same size.

    Raises
    ------
    GibbonError
        It is low, or much higher when the photograph is turned or mirrored, so that corners were swapped.
    """
    found = match(photographed, original)
    for turns in (1, 2, 3) if photographed.shape[1] == photographed.shape[2] else (2,):
        other = match(torch.rot90(photographed, turns, (1, 2)), original)
        if other >= max(_TURNED, found + _MARGIN):
            raise GibbonError(
                f"The corners are in another order: the image's {ORDER[0]} corner is your {ORDER[turns]} one "
                f"(correlation {other:.2f} instead of {found:.2f}). Give them again from there, clockwise."
            )
    if found < LEAST_MATCH:
        raise GibbonError(
            f"The photograph does not show the recorded image between its corners: their brightness correlates by {found:.2f}, and "
            f"{LEAST_MATCH:g} is needed. Set the corners of the image's frame, or leave the record out to read the photograph by itself."
        )
    return found
