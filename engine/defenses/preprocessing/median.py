"""Feature squeezing by a median filter."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from engine.defenses.preprocessing.preprocessing import Family, Preprocessing, Way
from engine.defenses.preprocessing.windows import mirrored
from engine.parameters import method


class Median(Preprocessing):
    """Replace each value by the median of a window of its channel: the value of rank ``size^2 // 2`` counted from 0.

    In a window of even size the median is the upper one, and the window reaches one pixel further up and to the left, as in SciPy, which
    the paper uses. Beyond its border the image is mirrored, the border pixel included. The gradient goes to the pixel that is the median.
    """

    slug: ClassVar[str] = "median"
    title: ClassVar[str] = "Median filter"
    also: ClassVar[tuple[str, ...]] = ("feature squeezing", "smoothing")
    family: ClassVar[Family] = "Feature squeezing"
    paper: ClassVar[str] = "Xu, Evans, Qi 2017, arXiv 1704.01155"
    way: ClassVar[Way] = "differentiable"

    size: int = method(2, ge=1, le=15, unit="pixels")
    """Side of the window. The paper takes 2 for MNIST, CIFAR-10 and ImageNet."""

    def changed(self, images: Tensor) -> Tensor:
        """Return the medians of the windows around every pixel."""
        height, width = images.shape[2:]
        before = self.size // 2
        padded = mirrored(images, before, self.size - 1 - before)
        shifts = [padded[:, :, y : y + height, x : x + width] for y in range(self.size) for x in range(self.size)]
        return torch.stack(shifts, -1).sort(-1).values[..., len(shifts) // 2]
