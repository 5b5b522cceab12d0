"""Warping of images by rotation, scale, shear, translation and perspective: pure functions of a batch, differentiable in every number.

Places are normalised as by ``torch.nn.functional.affine_grid`` with ``align_corners=False``: x and y range from -1 to 1 between the outer
edges of the image, y downwards. A warp is given by the place ``p'`` of the input that a place ``p`` of the output shows,
``p' = (linear @ p + offset) / (1 + tilt @ p)``.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Outside = Literal["black", "reflect"]
"""The content of places beyond the image: black, or the image mirrored at its edge."""
_PADDING = {"black": "zeros", "reflect": "reflection"}


def linear_part(angle: Tensor, aspect: float, zoom: Tensor | float = 1.0, slant: Tensor | float = 0.0) -> Tensor:
    """Return the matrices ``(N, 2, 2)`` of a rotation after a shear after a scale, for places of the output.

    Parameters
    ----------
    angle
        ``(N,)`` in radians; the content turns counter-clockwise.
    aspect
        The image's height over its width, so that a rotation keeps angles in pixels.
    zoom
        ``(N,)`` or one number: the content becomes as many times larger.
    slant
        ``(N,)`` or one number: the pixels that a row moves for each pixel below the middle.
    """
    cos, sin = angle.cos(), angle.sin()
    rows = (cos / zoom, (cos * slant - sin) / zoom * aspect, sin / zoom / aspect, (sin * slant + cos) / zoom)
    return torch.stack(rows, dim=1).view(-1, 2, 2)


def warped(images: Tensor, linear: Tensor, offset: Tensor, tilt: Tensor | None = None, outside: Outside = "black") -> Tensor:
    """Return ``images`` ``(N, C, H, W)`` as seen through a warp of each, with bilinear interpolation.

    Even a warp that moves nothing may change the last bits; a caller for whom that matters leaves such rows out.

    Parameters
    ----------
    images
        The images.
    linear, offset
        ``(N, 2, 2)`` and ``(N, 2)``.
    tilt
        ``(N, 2)``: the foreshortening along x and y, below 1 in total; None: no perspective.
    outside
        The content of places beyond the image.
    """
    rows = torch.cat([linear, offset[:, :, None]], dim=2)
    grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
    if tilt is not None:
        grid = grid / depth(images, tilt)[..., None]
    return functional.grid_sample(images, grid, padding_mode=_PADDING[outside], align_corners=False)


def depth(images: Tensor, tilt: Tensor) -> Tensor:
    """Return ``1 + tilt @ p`` at every pixel, ``(N, H, W)``, for ``tilt`` ``(N, 2)``."""
    x, y = (_centres(side, images) for side in (images.shape[3], images.shape[2]))
    return 1 + tilt[:, 0, None, None] * x + tilt[:, 1, None, None] * y[:, None]


def _centres(side: int, like: Tensor) -> Tensor:
    """Return the normalised places of the pixels' centres along an axis, ``(side,)``."""
    return (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) * (2.0 / side) - 1.0
