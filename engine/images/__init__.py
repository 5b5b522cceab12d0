"""Images: opening photographs, cropping them to a classifier's input, the 8-bit grid, writing them."""

from __future__ import annotations

from engine.images.bundled import Sample, samples
from engine.images.grid import array_levels, digest, lattice, levels
from engine.images.photograph import Crop, Photograph, from_array, open_image, read
from engine.images.png import write_png
from engine.images.published import published_crop

__all__ = [
    "Crop",
    "Photograph",
    "Sample",
    "array_levels",
    "digest",
    "from_array",
    "lattice",
    "levels",
    "open_image",
    "published_crop",
    "read",
    "samples",
    "write_png",
]
