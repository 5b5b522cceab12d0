"""The way from a print to a camera's file, in one number, and the distance from which an image is seen."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from engine.images.distortions import gamma
from engine.images.warping import linear_part, warped

_TURN, _TILT, _LENS, _SHADE, _GAMMA, _FAR = 4.0, 0.2, 0.12, 0.4, 0.4, 0.5
"""At strength 1: degrees of the turn, the tilt along x, the lens's distortion at an edge, the light lost at an edge, the exponent above 1,
and the share of the resolution that is lost.
"""


def rescaled(images: Tensor, share: float) -> Tensor:
    """Return ``images`` ``(N, C, H, W)`` seen from afar: shrunk to ``share`` of their sides with antialiasing, and enlarged again.

    Both are bilinear. At 1 the bits stay; the least size is one pixel.
    """
    size = [max(1, round(share * side)) for side in images.shape[2:]]
    if size == list(images.shape[2:]):
        return images
    small = functional.interpolate(images, size=size, mode="bilinear", antialias=True)
    return functional.interpolate(small, size=images.shape[2:], mode="bilinear").clamp(0, 1)


def photographed(images: Tensor, strength: float) -> Tensor:
    """Return ``images`` ``(N, C, H, W)`` as a camera sees their print; ``strength`` is from 0, where the bits stay, to 1.

    In this order: perspective with a small turn, the barrel distortion of the lens, vignetting, a darker gamma, the sensor's lower
    resolution, 8 bits. Places beyond the print show it mirrored at its edge. Nothing is random.
    """
    if strength == 0:
        return images
    count, aspect = len(images), images.shape[2] / images.shape[3]
    angle = images.new_full((count,), math.radians(_TURN * strength))
    tilt = images.new_tensor([_TILT, -_TILT / 2]).expand(count, 2) * strength
    seen = warped(images, linear_part(angle, aspect), images.new_zeros(count, 2), tilt, "reflect").clamp(0, 1)
    seen = _vignetted(_through_a_lens(seen, _LENS * strength), _SHADE * strength)
    seen = rescaled(gamma(seen, 1 + _GAMMA * strength), 1 - _FAR * strength)
    return (seen * 255).round() / 255


def _through_a_lens(images: Tensor, bend: float) -> Tensor:
    """Return images whose straight lines bend outwards: the place p shows ``p * (1 + bend * |p|^2)``."""
    identity = torch.eye(2, 3, dtype=images.dtype, device=images.device).expand(len(images), 2, 3)
    grid = functional.affine_grid(identity, list(images.shape), align_corners=False)
    grid = grid * (1 + bend * grid.square().sum(-1, keepdim=True))
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False).clamp(0, 1)


def _vignetted(images: Tensor, loss: float) -> Tensor:
    """Return images that lose ``loss`` of the light at the middle of an edge, and twice as much in a corner."""
    y, x = (torch.linspace(1 / side - 1, 1 - 1 / side, side).to(images) for side in images.shape[2:])
    return images * (1 - loss * (x.square() + y[:, None].square())).clamp_min(0)
