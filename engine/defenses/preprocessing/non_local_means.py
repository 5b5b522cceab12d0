"""Feature squeezing by non-local means: every pixel becomes a mean over pixels whose surroundings look alike."""

from __future__ import annotations

from collections.abc import Iterator
from types import EllipsisType
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.defenses.preprocessing.preprocessing import Family, Preprocessing, Way
from engine.defenses.preprocessing.windows import mirrored
from engine.errors import GibbonError
from engine.parameters import Preset, method
from engine.text.parsing import Number

Window = tuple[EllipsisType, slice, slice]


class NonLocalMeans(Preprocessing):
    """Replace each pixel by the mean over the pixels q of its search window, weighted by how alike their surroundings are.

    ``weight = exp(-max(d2 - 2 sigma^2, 0) / h^2)``, where ``d2`` is the mean squared difference of the two patches over pixels and
    channels. Beyond its border the image is mirrored. The gradient is the exact one; it is computed shift by shift, so that its memory
    does not grow with the search window.
    """

    slug: ClassVar[str] = "non-local-means"
    title: ClassVar[str] = "Non-local means"
    also: ClassVar[tuple[str, ...]] = ("feature squeezing", "NLM", "denoising")
    family: ClassVar[Family] = "Feature squeezing"
    paper: ClassVar[str] = "Buades, Coll, Morel 2005; Xu, Evans, Qi 2017, arXiv 1704.01155"
    way: ClassVar[Way] = "differentiable"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("CIFAR-10, 13-3-2 (Xu et al.)", {"search": 13, "patch": 3, "h": "2/255"}),
        Preset("ImageNet, 11-3-4 (Xu et al.)", {"search": 11, "patch": 3, "h": "4/255"}),
    )

    search: int = method(11, ge=1, le=51, odd=True, unit="pixels")
    """Side of the search window, odd."""
    patch: int = method(3, ge=1, le=21, odd=True, unit="pixels")
    """Side of the patches that are compared, odd."""
    h: Number = method(4 / 255, gt=0, le=1, unit="pixel", title="strength h")
    """Difference of two patches at which their weight has fallen to 1/e."""
    sigma: Number = method(0.0, ge=0, le=1, unit="pixel")
    """Standard deviation of the noise that is expected: differences that it explains do not count."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse search windows and patches of even size, which have no middle pixel."""
        for name, side in (("search window", self.search), ("patch", self.patch)):
            if side % 2 == 0:
                raise GibbonError(f"{self.title}: a {name} of {side} pixels has no middle. Choose an odd number.")

    def changed(self, images: Tensor) -> Tensor:
        """Return the images of weighted means, ``(N, C, H, W)``."""
        reach = self.search // 2 + self.patch // 2
        found: Tensor = _WeightedMean.apply(mirrored(images, reach, reach, edge=False), self)
        return found

    def shifts(self, wide: Tensor) -> Iterator[tuple[Window, Tensor, Tensor]]:
        """Yield, for each shift, its window in the ``wide`` images, the difference of all patches, and the weights ``(N, 1, H, W)``."""
        side, least = self.search, 2 * self.sigma**2
        middle = wide[self.window(wide, side // 2, side // 2)]
        for down in range(side):
            for right in range(side):
                window = self.window(wide, down, right)
                difference = middle - wide[window]
                apart = F.avg_pool2d(difference.square().mean(1, keepdim=True), self.patch, 1)
                yield window, difference, (-(apart - least).clamp_min(0) / self.h**2).exp()

    def window(self, wide: Tensor, down: int, right: int) -> Window:
        """Return the window of a shift: the image with half a patch around it."""
        height, width = wide.shape[2] - self.search + 1, wide.shape[3] - self.search + 1
        return ..., slice(down, down + height), slice(right, right + width)

    def inner(self, values: Tensor) -> Tensor:
        """Return the values without the half patch around the image; a view."""
        half = self.patch // 2
        return values[..., half : values.shape[2] - half, half : values.shape[3] - half]


class _WeightedMean(torch.autograd.Function):
    """``sum_s w_s * x_s / sum_s w_s`` over the shifts, whose weights are made again in the backward pass."""

    @staticmethod
    def forward(ctx: Any, wide: Tensor, step: NonLocalMeans) -> Tensor:
        above = below = torch.zeros((), dtype=wide.dtype, device=wide.device)
        for window, _, weight in step.shifts(wide):
            above, below = above + weight * step.inner(wide[window]), below + weight
        ctx.step = step
        ctx.save_for_backward(wide, above / below, below)
        return above / below

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (wide, mean, below), step = ctx.saved_tensors, ctx.step
        of_above = grad / below
        of_below = -(of_above * mean).sum(1, keepdim=True)
        found, of_middle = torch.zeros_like(wide), 0
        scale, around = -2 / (step.h**2 * wide.shape[1]), [step.patch - 1] * 4
        for window, difference, weight in step.shifts(wide):
            of_weight = (step.inner(wide[window]) * of_above).sum(1, keepdim=True) + of_below
            slope = torch.where(weight < 1, scale * weight * of_weight, 0)  # at weight 1 the patches differ by no more than the noise
            of_difference = F.avg_pool2d(F.pad(slope, around), step.patch, 1) * difference
            of_middle = of_middle + of_difference
            found[window] -= of_difference
            step.inner(found[window]).add_(weight * of_above)
        found[step.window(wide, step.search // 2, step.search // 2)] += of_middle
        return found, None
