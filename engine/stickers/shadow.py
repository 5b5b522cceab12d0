"""Shadows: how dark they are at each pixel, and the content that they give to what lies below them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def reach(blur: float) -> int:
    """Return how many pixels beyond a window its penumbra depends on."""
    return math.ceil(max(0.0, (blur - 1) / 2))


def with_penumbra(coverage: Tensor, blur: float) -> Tensor:
    """Return the strength of a shadow with a soft edge, from the coverage of its shape.

    ``min(coverage, clamp(2 * mean - 1, 0, 1))``, where ``mean`` is the mean of the coverage over a square of ``blur`` pixels around each
    pixel: at a straight edge the strength rises from 0 on the outline to 1 at ``blur / 2`` pixels inside. Outside of the shape it is 0.

    Parameters
    ----------
    coverage
        ``(..., H, W)`` in [0, 1]; beyond it the coverage counts as 0.
    blur
        Side of the square in pixels. Up to 1 the coverage is returned as it is.

    Returns
    -------
    Tensor
        ``(..., H, W)`` in [0, 1], differentiable in ``coverage``.
    """
    if blur <= 1:
        return coverage
    half = reach(blur)
    places = torch.arange(-half, half + 1, dtype=torch.float64)
    weights = ((places + 0.5).clamp(max=blur / 2) - (places - 0.5).clamp(min=-blur / 2)).clamp(min=0) / blur
    weights = weights.to(coverage)
    flat = coverage.reshape(-1, 1, *coverage.shape[-2:])
    mean = F.conv2d(flat, weights.reshape(1, 1, -1, 1), padding=(half, 0))
    mean = F.conv2d(mean, weights.reshape(1, 1, 1, -1), padding=(0, half)).reshape(coverage.shape)
    return torch.minimum(coverage, (2 * mean - 1).clamp(0, 1))
