"""Random augmentation of training images, a whole batch at once, with every number drawn from one source."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.randomness import Random


@dataclass(frozen=True)
class Augmentation:
    """Ranges within which images may be moved and recoloured. Pixels are in [0, 1]; 0 everywhere changes nothing."""

    rotation: float = 0.0
    """Largest rotation in degrees."""
    scale: float = 0.0
    """Largest log2 of the zoom: 0.3 zooms between 1/1.23 and 1.23."""
    shear: float = 0.0
    """Largest change of the aspect and of the slant."""
    shift: float = 0.0
    """Largest translation, as a share of the image's size."""
    perspective: float = 0.0
    """Largest foreshortening: the difference between two opposite edges, as a share."""
    gain: float = 0.0
    """Largest log2 of the factor on brightness."""
    contrast: float = 0.0
    """Largest log2 of the factor on the distance from the image's mean."""
    gamma: float = 0.0
    """Largest log2 of the exponent on pixels."""
    saturation: float = 0.0
    """Largest log2 of the factor on the distance from grey; colour images only."""
    tint: float = 0.0
    """Largest log2 of a factor per channel; colour images only."""
    blur: float = 0.0
    """Largest share that a Gaussian 3x3 or 5x5 smoothing takes in the image."""
    noise: float = 0.0
    """Largest standard deviation of Gaussian noise, for pixels in [0, 1]."""
    stretch: float = 0.0
    """The share of images whose darkest value is stretched to 0 and whose brightest to 1."""
    thickness: float = 0.0
    """Largest share that a 3x3 dilation or erosion takes in the image: thinner and thicker strokes."""

    def __call__(self, images: Tensor, random: Random) -> Tensor:
        """Return augmented copies of ``images`` (N, C, H, W), which may be on any device."""
        draw = _Draw(random, images)
        images = self._move(images, draw)
        if self.thickness:
            images = _thicken(images, draw.uniform(self.thickness))
        if self.blur:
            images = _blur(images, draw.uniform(self.blur).abs(), draw.uniform(1.0) > 0.3)
        images = self._recolour(images, draw)
        if self.noise:
            images = images + draw.normal() * draw.uniform(self.noise).abs()
        return images.clamp(0.0, 1.0)

    def _move(self, images: Tensor, draw: _Draw) -> Tensor:
        angle = draw.uniform(math.radians(self.rotation))
        zoom = torch.exp2(draw.uniform(self.scale))
        aspect, slant = 1.0 + draw.uniform(self.shear), draw.uniform(self.shear)
        shift_x, shift_y = draw.uniform(2.0 * self.shift), draw.uniform(2.0 * self.shift)
        tilt_x, tilt_y = draw.uniform(0.5 * self.perspective), draw.uniform(0.5 * self.perspective)
        height, width = images.shape[-2:]
        x = ((torch.arange(width, device=images.device) + 0.5) * (2.0 / width) - 1.0).view(1, 1, 1, width)
        y = ((torch.arange(height, device=images.device) + 0.5) * (2.0 / height) - 1.0).view(1, 1, height, 1)
        cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
        depth = 1.0 + tilt_x * x + tilt_y * y
        from_x = ((cos * aspect) * x + (slant * cos - sin) * y + shift_x) / depth
        from_y = ((sin * aspect) * x + (slant * sin + cos) * y + shift_y) / depth
        grid = torch.stack([from_x[:, 0], from_y[:, 0]], dim=-1)
        return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def _recolour(self, images: Tensor, draw: _Draw) -> Tensor:
        if self.stretch:
            low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
            stretched = (images - low) / (high - low).clamp_min(0.05)
            images = torch.where(draw.uniform(1.0).abs() < self.stretch, stretched, images)
        if self.saturation and images.shape[1] == 3:
            grey = images.mean(1, keepdim=True)
            images = grey + (images - grey) * torch.exp2(draw.uniform(self.saturation))
        if self.tint and images.shape[1] == 3:
            images = images * torch.exp2(draw.uniform(self.tint, channels=3))
        mean = images.mean((1, 2, 3), keepdim=True)
        images = mean + (images - mean) * torch.exp2(draw.uniform(self.contrast))
        images = images * torch.exp2(draw.uniform(self.gain))
        # The floor is above 0, since 0 to a power gives NaN on some devices when it rounds below 0.
        return images.clamp(1e-4, 1.0) ** torch.exp2(draw.uniform(self.gamma))


class _Draw:
    """Random numbers for one batch, one per image by default."""

    def __init__(self, random: Random, like: Tensor) -> None:
        self.random, self.like = random, like

    def uniform(self, largest: float, channels: int = 1) -> Tensor:
        """Draw uniform numbers in [-largest, largest], ``(N, channels, 1, 1)``."""
        return ((2.0 * self.random.uniform((channels, 1, 1)) - 1.0) * largest).to(self.like)

    def normal(self) -> Tensor:
        """Draw standard normal numbers in the shape of the images."""
        return self.random.normal(self.like.shape[1:]).to(self.like)


def _thicken(images: Tensor, share: Tensor) -> Tensor:
    thick = functional.max_pool2d(images, 3, stride=1, padding=1)
    thin = -functional.max_pool2d(-images, 3, stride=1, padding=1)
    return images + share.clamp_min(0.0) * (thick - images) + (-share).clamp_min(0.0) * (thin - images)


def _blur(images: Tensor, share: Tensor, wide: Tensor) -> Tensor:
    once = _smooth(images)
    return images + share * (torch.where(wide, _smooth(once), once) - images)


def _smooth(images: Tensor) -> Tensor:
    """Smooth with the binomial 1-2-1 filter along both axes."""
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = (padded[..., :-2, :] + 2.0 * padded[..., 1:-1, :] + padded[..., 2:, :]) / 4.0
    return (rows[..., :-2] + 2.0 * rows[..., 1:-1] + rows[..., 2:]) / 4.0


STROKES = Augmentation(rotation=15, scale=0.3, shear=0.15, shift=0.08, noise=0.05, blur=0.5, thickness=0.5)
"""Augmentation for grey drawings on a plain ground, such as digits."""

COLOURS = Augmentation(
    rotation=15,
    scale=0.3,
    shear=0.12,
    shift=0.1,
    perspective=0.25,
    gain=0.6,
    contrast=0.6,
    gamma=0.5,
    saturation=0.8,
    tint=0.15,
    blur=1.0,
    noise=0.04,
    stretch=0.4,
)
"""Augmentation for small photographs of objects that have an upright position and a handedness, such as traffic signs: no mirroring."""
