"""JPEG compression of the image before the network sees it."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from engine.defenses.preprocessing.preprocessing import Family, Preprocessing, Way
from engine.errors import GibbonError
from engine.images.distortions import jpeg
from engine.images.jpeg.codec import Subsampling
from engine.parameters import method


class JPEG(Preprocessing):
    """Compress the image as JPEG and open it again.

    The pixels are those of a file that Pillow writes with this quality and reads: 8-bit levels, YCbCr, blocks of 8 x 8, the standard
    quantisation tables, and colour at half the size. An attacker who knows it takes the gradient of the same steps with a rounding that has
    a slope, ``round(v) + (v - round(v))^3``.
    """

    slug: ClassVar[str] = "jpeg"
    title: ClassVar[str] = "JPEG"
    also: ClassVar[tuple[str, ...]] = ("compression",)
    family: ClassVar[Family] = "Compression"
    paper: ClassVar[str] = "Dziugaite, Ghahramani, Roy 2016, arXiv 1608.00853; Shin, Song 2017 (the gradient)"
    way: ClassVar[Way] = "proxy"

    quality: int = method(75, ge=1, le=100)
    """Quality from 1, the smallest file, to 100."""
    subsampling: Subsampling = method("4:2:0", choices={"4:2:0": "colour at half the size", "4:4:4": "colour at full size"})
    """Size at which colours are stored. Grey images have none."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images that have neither one channel (grey) nor three (RGB)."""
        if shape[0] not in (1, 3):
            raise GibbonError(f"{self.title} knows grey and RGB images, but these have {shape[0]} channels. Choose another defense.")

    def changed(self, images: Tensor) -> Tensor:
        """Return the images as they are after compression, on 8-bit levels."""
        return jpeg(images, self.quality, self.subsampling)
