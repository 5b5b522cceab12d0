"""The values that one forward pass gives beside the logits: recorded activations, or the images as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Recording:
    """Logits and cloned activations of one forward pass, by the name of the site."""

    logits: Tensor
    """The logits, ``(N, K)``."""
    activations: dict[str, Tensor]
    """Activations after the rectifier by site name, each ``(N, C, H, W)`` or ``(N, units)``."""


@dataclass(frozen=True)
class Looked:
    """Logits of images, and the images as the network sees them, from one pass through the preprocessing."""

    logits: Tensor
    """The logits, ``(N, K)``."""
    images: Tensor
    """The images after the preprocessing, ``(N, C, H, W)`` in the range of pixels; of several copies of an image the first."""
