"""The light of a laser beam: the colour of a wavelength, and the line that it draws over an image."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHORTEST, LONGEST = 380.0, 750.0
"""Ends of the visible light, in nm."""
_KNOTS = (380.0, 440.0, 490.0, 510.0, 580.0, 645.0, 750.0)
_COLOURS = ((1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0), (1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0))
"""Red, green and blue at the knots; straight lines between them."""
_FADES = ((380.0, 420.0), (750.0, 700.0))
"""At both ends the eye sees less: 0.3 of the brightness at the first number of each pair, all of it from the second on."""
_LUMA = (0.299, 0.587, 0.114)


def colour(wavelength: Tensor) -> Tensor:
    """Return the colour ``(..., 3)`` in [0, 1] of light of ``wavelength`` ``(...)`` in nm, from 380 to 750.

    The usual straight-line approximation of the colours of the spectrum on a screen (D. Bruton 1996), without its gamma.
    """
    knots = torch.tensor(_KNOTS, dtype=wavelength.dtype, device=wavelength.device)
    place = torch.searchsorted(knots, wavelength.contiguous(), right=True).clamp(1, len(_KNOTS) - 1)
    share = ((wavelength - knots[place - 1]) / (knots[place] - knots[place - 1]))[..., None]
    table = torch.tensor(_COLOURS, dtype=wavelength.dtype, device=wavelength.device).T
    hue = table[place - 1] * (1 - share) + table[place] * share
    for end, full in _FADES:
        hue = hue * (0.3 + 0.7 * ((wavelength - end) / (full - end)).clamp(0, 1))[..., None]
    return hue.clamp(0, 1)


def beam(like: Tensor, angle: Tensor, offset: Tensor, width: Tensor) -> Tensor:
    """Return the brightness ``(M, H, W)`` in [0, 1] of beams over images of the size of ``like`` ``(..., C, H, W)``.

    ``exp(-8 * (distance / width)^2)`` with the distance of a pixel's centre from the line: the profile of a Gaussian beam, which falls to
    1/e^2 at half the width.

    Parameters
    ----------
    like
        An image or images, for their size, type and device.
    angle
        Angles ``(M,)`` of the lines in radians, counter-clockwise from the horizontal.
    offset
        ``(M,)`` in [-1, 1]: where the line crosses the image, from 0, the middle, to the corners that lie farthest to its sides.
    width
        Widths ``(M,)`` as shares of the image's longer side; the least is one pixel.
    """
    height, columns = like.shape[-2:]
    longer = max(height, columns)
    x = (torch.arange(columns, dtype=like.dtype, device=like.device) + 0.5 - columns / 2) / longer
    y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5 - height / 2) / longer
    sin, cos = angle.sin()[:, None, None], angle.cos()[:, None, None]
    farthest = (columns * sin.abs() + height * cos.abs()) / (2 * longer)
    distance = x * sin + y[:, None] * cos - offset[:, None, None] * farthest
    return torch.exp(-8 * (distance / width.clamp_min(1 / longer)[:, None, None]).square())


def light(like: Tensor, wavelength: Tensor, angle: Tensor, offset: Tensor, width: Tensor) -> Tensor:
    """Return the light ``(M, C, H, W)`` of beams, which an image is increased by; channels that are not three get its luma alike."""
    shade, hue = beam(like, angle, offset, width), colour(wavelength)
    channels = like.shape[-3]
    if channels != 3:
        hue = (hue * hue.new_tensor(_LUMA)).sum(-1, keepdim=True).expand(-1, channels)
    return shade[:, None] * hue[:, :, None, None]


def half_turns(share: Tensor) -> Tensor:
    """Return the angle in radians of a share of half a turn; a line has the same angle after one."""
    return share.remainder(1.0) * math.pi
