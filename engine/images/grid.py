"""The 8-bit lattice: the images that a file can hold."""

from __future__ import annotations

from torch import Tensor


def lattice(images: Tensor) -> Tensor:
    """The nearest images that an 8-bit file holds: ``round(255 * images) / 255``."""
    return (images * 255).round() / 255
