"""The 8-bit grid: the images that a file can hold; and the hash of all bits of an image."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from torch import Tensor

from engine.errors import GibbonError
from engine.text.parsing import named


def levels(images: Tensor) -> Tensor:
    """Round every value to its 8-bit level, ``round(255 * images)``, halves to even: the rule of files, previews and judgements.

    Rounding uses the images' own type, because 76.5 in float32 may lie above or below in another type.

    Raises
    ------
    GibbonError
        ``images`` are no tensor of floats.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        kind = images.dtype if isinstance(images, Tensor) else named(images)
        raise GibbonError(f"The images are {kind}, but a tensor of floats in [0, 1] is needed. Divide 8-bit levels by 255.")
    return (images * 255).round()


def array_levels(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Round a float32 array in [0, 1] by the rule of `levels`, without torch, whose threads the main thread must not wait for."""
    rounded: npt.NDArray[np.uint8] = (values * np.float32(255)).round().astype(np.uint8)
    return rounded


def lattice(images: Tensor) -> Tensor:
    """Return the nearest images that an 8-bit file holds: ``levels(images) / 255``."""
    return levels(images) / 255


def digest(image: Tensor) -> str:
    """Return the SHA-256 of the float32 bytes of one image: equal if and only if every bit is."""
    return hashlib.sha256(np.ascontiguousarray(image.detach().cpu().numpy().astype("<f4")).tobytes()).hexdigest()
