"""Distortions of the way from a print to a camera's file: light, noise, blur and compression, each a pure function of a batch.

Every function takes images ``(N, C, H, W)`` in [0, 1] and a strength, one number for all images or one for each, ``(N,)``, and returns new
images in [0, 1]. It is differentiable in the images, draws no random numbers, and changes each image by itself. At the strength that
changes nothing it returns the same bits.

===============  ============================  =================  ==============================
function         strength                      changes nothing    unit
===============  ============================  =================  ==============================
`brightness`     shift                         0                  of [0, 1]
`contrast`       factor                        1                  times the distance to the mean
`gamma`          exponent                      1
`noise`          standard deviation            0                  of [0, 1]
`blur`           standard deviation            0                  pixels
`jpeg`           quality                       (none)             1 to 100
`soft_jpeg`      quality                       (none)             1 to 100
===============  ============================  =================  ==============================
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.images.jpeg.codec import Subsampling, compressed
from engine.images.jpeg.proxy import smooth

Strength = float | Tensor
_DARK = 1 / 2550
"""Value, a tenth of a grey level, below which `gamma` is a straight line: the slope of a power below 1 is infinite at black."""
_REACH = 4
"""Standard deviations after which `blur` ignores a pixel, as SciPy does."""


def in_range(images: Tensor) -> Tensor:
    """Return ``clamp(images, 0, 1)`` with the slope 1 from 0 to 1, both included.

    The slope of ``torch.clamp`` is 0 at its ends, where most pixels of an optimised sticker are: they could never leave them.
    """
    return torch.where((images >= 0) & (images <= 1), images, images.detach().clamp(0, 1))


def brightness(images: Tensor, shift: Strength) -> Tensor:
    """Return ``clamp(images + shift, 0, 1)``: lighter above 0, darker below."""
    return in_range(images + _each(shift, images))


def contrast(images: Tensor, factor: Strength) -> Tensor:
    """Return ``clamp(factor * images + (1 - factor) * mean, 0, 1)``, with the mean of each image over pixels and channels."""
    times = _each(factor, images)
    return in_range(times * images + (1 - times) * images.mean((1, 2, 3), keepdim=True))


def gamma(images: Tensor, exponent: Strength) -> Tensor:
    """Return ``images ** exponent``, which is lighter below 1 and darker above; black and white stay.

    Values below a tenth of a grey level lie on the straight line from black to that point, so that the slope is finite.
    """
    power = _each(exponent, images)
    bright = images.clamp_min(_DARK) ** power
    bent = in_range(torch.where(images < _DARK, images * _DARK ** (power - 1), bright))
    return torch.where(power == 1, images, bent)


def noise(images: Tensor, sigma: Strength, normal: Tensor) -> Tensor:
    """Return ``clamp(images + sigma * normal, 0, 1)`` with standard normal numbers ``normal`` of the images' shape, or one that expands."""
    return in_range(images + _each(sigma, images) * normal)


def blur(images: Tensor, sigma: Strength) -> Tensor:
    """Return the images smoothed with a Gaussian of standard deviation ``sigma`` pixels.

    Along rows and columns alike, pixel i becomes the mean of the pixels j with the weights ``exp(-(i - j)^2 / (2 sigma^2))`` for
    ``|i - j| <= 4 sigma``. Beyond its border the image has no pixels: the weights of those inside sum to 1.
    """
    height, width = images.shape[2:]
    return in_range(_weights(height, sigma, images) @ images @ _weights(width, sigma, images).mT)


def jpeg(images: Tensor, quality: int | Tensor, subsampling: Subsampling = "4:2:0") -> Tensor:
    """Return the images as they are after compression by libjpeg, on 8-bit levels; C is 1 (grey) or 3 (RGB).

    The gradient is that of `soft_jpeg`, since the true one is zero almost everywhere.
    """
    with torch.no_grad():
        levels = (images * 255).round().clamp(0, 255).int()
        true = compressed(levels, quality, subsampling).to(images.dtype) / 255
    if not (images.requires_grad and torch.is_grad_enabled()):
        return true
    soft = smooth(images * 255, quality, subsampling) / 255
    return true + (soft - soft.detach())  # adds an exact zero


def soft_jpeg(images: Tensor, quality: int | Tensor, subsampling: Subsampling = "4:2:0") -> Tensor:
    """Return a smooth stand-in for `jpeg` at half its cost: the same steps in floating point, ``round(v) + (v - round(v))^3`` for rounding.

    Shin, Song 2017. Values are clamped to [0, 1] and are not on 8-bit levels.
    """
    return in_range(smooth(images * 255, quality, subsampling) / 255)


def _each(strength: Strength, images: Tensor) -> Tensor:
    """Return the strength of each image, ``(N, 1, 1, 1)``, or that of all, ``(1, 1, 1, 1)``."""
    if isinstance(strength, Tensor):
        return strength.to(images).reshape(-1, 1, 1, 1)
    return images.new_full((1, 1, 1, 1), strength)


def _weights(side: int, sigma: Strength, images: Tensor) -> Tensor:
    """Return the weights ``(1 or N, 1, side, side)`` of every pixel in the mean of every pixel along one axis; rows sum to 1."""
    places = torch.arange(side, dtype=images.dtype, device=images.device)
    distance = (places[:, None] - places).abs()
    spread = _each(sigma, images)
    weights = torch.exp(-0.5 * (distance / spread.clamp_min(1e-3)).square()) * (distance <= _REACH * spread)
    return weights / weights.sum(-1, keepdim=True)
