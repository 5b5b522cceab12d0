"""CIE LAB lightness of images: its value, and images with their lightness multiplied while a* and b* stay."""

from __future__ import annotations

import torch
from torch import Tensor

_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
"""Linear sRGB to XYZ (IEC 61966-2-1, white point D65). The sums of its rows are the white point."""
_DELTA = 6 / 29
"""Below ``_DELTA**3`` CIE replaces the cube root by its tangent."""


def lightness(images: Tensor) -> Tensor:
    """Return CIE LAB lightness L* of sRGB images.

    ``L* = 116 f(Y) - 16`` with the luminance Y of the linear values and ``f(t) = t^(1/3)``, linear below ``(6/29)^3``.

    Parameters
    ----------
    images
        ``(..., C, H, W)`` in [0, 1]. Three channels are red, green and blue; any other number is averaged to a grey.

    Returns
    -------
    Tensor
        ``(..., 1, H, W)`` from 0 to 100.
    """
    if images.shape[-3] != 3:
        return 116 * _root(_linear(images.mean(-3, keepdim=True))) - 16
    return 116 * _xyz(images).unbind(-3)[1].unsqueeze(-3) - 16


def darkened(images: Tensor, kappa: float | Tensor) -> Tensor:
    """Return images with their lightness multiplied: ``L* <- kappa L*`` in CIE LAB, with a* and b* unchanged.

    The change of the colour is added to the image, so that ``kappa = 1`` gives the image back bit by bit. Colours that leave the range of
    sRGB are clamped to it. An image with other than three channels is darkened channel by channel, each as a grey.

    Parameters
    ----------
    images
        ``(..., C, H, W)`` in [0, 1].
    kappa
        Factor on the lightness, at least 0: a number, or a tensor that broadcasts against ``(..., 1, H, W)``.

    Returns
    -------
    Tensor
        Images of the same shape, differentiable in ``images`` and ``kappa``.
    """
    if images.shape[-3] != 3:
        roots = _root(_linear(images))
        change = _gamma(_cube(roots + (kappa - 1) * (roots - 16 / 116))) - _gamma(_cube(roots))
    else:
        roots = _xyz(images)
        middle = roots[..., 1:2, :, :]
        shift = (kappa - 1) * (middle - 16 / 116)  # with a* and b* fixed, f(X), f(Y) and f(Z) all change by the same
        change = _rgb(roots + shift) - _rgb(roots)
    return (images + change).clamp(0, 1)


def _xyz(images: Tensor) -> Tensor:
    """Return ``f(X / Xn), f(Y / Yn), f(Z / Zn)`` of sRGB images."""
    matrix = torch.tensor(_TO_XYZ, dtype=torch.float64)
    matrix = (matrix / matrix.sum(1, keepdim=True)).to(images)
    return _root(torch.einsum("ij,...jhw->...ihw", matrix, _linear(images)))


def _rgb(roots: Tensor) -> Tensor:
    """Return sRGB of the values of `_xyz`, clamped to [0, 1]."""
    matrix = torch.tensor(_TO_XYZ, dtype=torch.float64)
    back = (torch.linalg.inv(matrix / matrix.sum(1, keepdim=True))).to(roots)
    return _gamma(torch.einsum("ij,...jhw->...ihw", back, _cube(roots)).clamp(0, 1))


def _linear(values: Tensor) -> Tensor:
    """Return the linear light of sRGB values."""
    return torch.where(values <= 0.04045, values / 12.92, ((values.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)


def _gamma(values: Tensor) -> Tensor:
    """Return the sRGB values of linear light."""
    return torch.where(values <= 0.0031308, 12.92 * values, 1.055 * values.clamp_min(0.0031308) ** (1 / 2.4) - 0.055)


def _root(values: Tensor) -> Tensor:
    return torch.where(values > _DELTA**3, values.clamp_min(_DELTA**3) ** (1 / 3), values / (3 * _DELTA**2) + 4 / 29)


def _cube(values: Tensor) -> Tensor:
    return torch.where(values > _DELTA, values**3, 3 * _DELTA**2 * (values - 4 / 29))
