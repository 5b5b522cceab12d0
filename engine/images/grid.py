"""The 8-bit lattice: the images that a file can hold."""

from __future__ import annotations

from torch import Tensor


def levels(images: Tensor) -> Tensor:
    """The 8-bit level of every value, ``round(255 * images)``, halves to the even one: the one rounding of files, previews and verdicts.

    It is done in the images' own type. In another one 76.5 of float32 would be 76 here and 77 there.
    """
    return (images * 255).round()


def lattice(images: Tensor) -> Tensor:
    """The nearest images that an 8-bit file holds: ``levels(images) / 255``."""
    return levels(images) / 255
