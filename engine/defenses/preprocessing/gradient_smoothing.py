"""Local gradient smoothing: regions with many strong edges, as stickers have, are darkened."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.defenses.preprocessing.preprocessing import Family, Preprocessing, Way
from engine.defenses.preprocessing.windows import mirrored
from engine.errors import GibbonError
from engine.parameters import Preset, method
from engine.text.parsing import Number

_TINY = 1e-12
"""Added under the root of the magnitude, whose slope is infinite at zero."""


class GradientSmoothing(Preprocessing):
    """Scale each value down by the strength of the edges around it, where its window has many of them.

    ``x * clip(1 - strength * g, 0, 1)``. ``g`` is the magnitude of the Sobel derivatives of each channel, scaled to [0, 1] over the image;
    it counts as 0 in windows whose mean is at most ``threshold``. Where windows overlap, the mean over them is taken. Windows at the lower
    and right border that reach beyond the image have the mean of their pixels inside.

    It is differentiable almost everywhere: the attacker who knows it goes straight through.
    """

    slug: ClassVar[str] = "gradient-smoothing"
    title: ClassVar[str] = "Local gradient smoothing"
    also: ClassVar[tuple[str, ...]] = ("LGS", "patch defense", "sticker defense")
    family: ClassVar[Family] = "Smoothing"
    paper: ClassVar[str] = "Naseer, Khan, Porikli 2019, arXiv 1807.01216"
    way: ClassVar[Way] = "differentiable"
    presets: ClassVar[tuple[Preset, ...]] = (Preset("ImageNet, as published (Naseer et al.)", {"window": 15, "overlap": 5}),)

    strength: Number = method(2.3, ge=0, le=20)
    """Factor on the magnitude of the edges."""
    threshold: Number = method(0.1, ge=0, lt=1)
    """Mean magnitude above which a window is smoothed."""
    window: int = method(5, ge=1, le=200, unit="pixels")
    """Side of the windows: 5 suits images of 32 pixels, 15 those of 224 and more."""
    overlap: int = method(1, ge=0, le=199, unit="pixels")
    """Pixels that neighbouring windows share."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse an overlap as large as the windows, which would not advance."""
        if self.overlap >= self.window:
            raise GibbonError(f"{self.title}: windows of {self.window} pixels cannot overlap by {self.overlap}. Choose a smaller overlap.")

    def changed(self, images: Tensor) -> Tensor:
        """Return the images with regions of many strong edges darkened."""
        return images * (1 - self.strength * self._gated(edges(images))).clamp(0, 1)

    def _gated(self, magnitude: Tensor) -> Tensor:
        """Return the magnitude where its windows are above the threshold, the mean over those that overlap."""
        count, channels, height, width = magnitude.shape
        stride = self.window - self.overlap
        more_y, more_x = (_beyond(side, self.window, stride) for side in (height, width))
        padded = F.pad(magnitude, (0, more_x, 0, more_y))
        inside = F.pad(torch.ones_like(magnitude[:1, :1]), (0, more_x, 0, more_y))
        pixels = F.avg_pool2d(inside, self.window, stride)
        means = F.avg_pool2d(padded.flatten(0, 1)[:, None], self.window, stride) / pixels
        gates = (means > self.threshold).to(magnitude.dtype)
        size = padded.shape[2], padded.shape[3]
        open_windows = self._spread(gates, size, stride).view(count, channels, *size)
        windows = self._spread(torch.ones_like(pixels), size, stride)
        return (padded * open_windows / windows)[:, :, :height, :width]

    def _spread(self, values: Tensor, size: tuple[int, int], stride: int) -> Tensor:
        """Return the sum, at every pixel, of the values of the windows that cover it, ``(N, 1, H, W)``."""
        columns = values.flatten(2).expand(-1, self.window**2, -1)
        return F.fold(columns, size, self.window, stride=stride)


def edges(images: Tensor) -> Tensor:
    """Return the magnitude of the Sobel derivatives of each channel ``(N, C, H, W)``, scaled to [0, 1] over each image; 0 if it is flat."""
    padded = mirrored(images, 1, 1)
    smooth_y = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    smooth_x = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    across = smooth_y[..., 2:] - smooth_y[..., :-2]
    down = smooth_x[:, :, 2:] - smooth_x[:, :, :-2]
    magnitude = (across.square() + down.square() + _TINY).sqrt()
    least, most = magnitude.amin((1, 2, 3), keepdim=True), magnitude.amax((1, 2, 3), keepdim=True)
    return (magnitude - least) / (most - least).clamp_min(1e-6)


def _beyond(side: int, window: int, stride: int) -> int:
    """Return how many pixels beyond ``side`` the windows need to cover all of it."""
    return max(0, window - side) if side <= window else -(side - window) % stride
