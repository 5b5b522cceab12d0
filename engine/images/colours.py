"""Hue and saturation of a batch of colour images, each a pure function that is differentiable in images and strength."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

_TO_YIQ = ((0.299, 0.587, 0.114), (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))
"""Luma and the two axes of chroma from red, green and blue, as NTSC defines them."""


def recoloured(images: Tensor, hue: Tensor, saturation: Tensor) -> Tensor:
    """Return ``images`` ``(N, 3, H, W)`` with the chroma of every pixel turned by ``hue`` and multiplied by ``saturation``.

    In the coordinates Y, I, Q of NTSC the luma Y stays, ``(I, Q)`` becomes ``saturation * R(-hue) @ (I, Q)``, and the result is clamped to
    [0, 1]. Where hue is 0 and saturation 1 the bits stay.

    Parameters
    ----------
    images
        Colour images in [0, 1].
    hue
        Angles ``(N,)`` in radians; above 0 red turns towards yellow.
    saturation
        Factors ``(N,)``: 0 leaves grey, 1 leaves the image unchanged.
    """
    luma, chroma, turned = (part.to(images) for part in _parts())
    along, across = (saturation * hue.cos())[:, None, None], (saturation * hue.sin())[:, None, None]
    made = torch.einsum("nij,njhw->nihw", luma + along * chroma + across * turned, images).clamp(0, 1)
    unchanged = ((hue == 0) & (saturation == 1))[:, None, None, None]
    return torch.where(unchanged, images + (made - made.detach()), made)  # adds an exact zero, which keeps the gradient


@cache
def _parts() -> tuple[Tensor, Tensor, Tensor]:
    """Return three matrices ``(3, 3)`` on RGB: the projection to luma, that to chroma, and chroma turned by a right angle."""
    there = torch.tensor(_TO_YIQ, dtype=torch.float64)
    back = torch.linalg.inv(there)
    luma, chroma, turned = (torch.zeros(3, 3, dtype=torch.float64) for _ in range(3))
    luma[0, 0] = chroma[1, 1] = chroma[2, 2] = turned[1, 2] = 1.0
    turned[2, 1] = -1.0
    return back @ luma @ there, back @ chroma @ there, back @ turned @ there
