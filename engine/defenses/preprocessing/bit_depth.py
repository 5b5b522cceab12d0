"""Feature squeezing by bit depth: fewer levels for each value."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from engine.defenses.preprocessing.preprocessing import Family, Preprocessing, Way, straight_through
from engine.parameters import method


class BitDepth(Preprocessing):
    """Round every value to ``2^bits`` levels: ``round(x * (2^bits - 1)) / (2^bits - 1)``, halves to the even level.

    The gradient of rounding is zero, so an attacker who knows it takes rounding for the identity.
    """

    slug: ClassVar[str] = "bit-depth"
    title: ClassVar[str] = "Bit depth"
    also: ClassVar[tuple[str, ...]] = ("feature squeezing", "quantisation", "color depth")
    family: ClassVar[Family] = "Feature squeezing"
    paper: ClassVar[str] = "Xu, Evans, Qi 2017, arXiv 1704.01155"
    way: ClassVar[Way] = "straight through"

    bits: int = method(5, ge=1, le=8, unit="bits")
    """Bits of each value. The paper takes 1 for MNIST and 5 for CIFAR-10 and ImageNet."""

    def changed(self, images: Tensor) -> Tensor:
        """Return the images with every value rounded to its level."""
        levels = 2**self.bits - 1
        return straight_through((images * levels).round() / levels, images)
