"""Pure, differentiable application of drawn transformations: to whole images, as a camera does, or to a sticker's content on images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.images import distortions
from engine.stickers.transforms.grids import grids
from engine.stickers.transforms.ranges import Transforms


def photographed(images: Tensor, transforms: Transforms, *, exact: bool = False) -> Tensor:
    """Return images ``(R, C, H, W)``, each moved and lit by its transformation.

    Beyond its border an image continues as in a mirror: a colour of its own would tell the classifier that something was moved. All rows
    take one bilinear ``grid_sample``. Ranges that change nothing return the same images.

    Parameters
    ----------
    images
        The images in [0, 1], one for each transformation.
    transforms
        The drawn transformations.
    exact
        Whether JPEG is that of files, on 8-bit levels, instead of its faster smooth stand-in.
    """
    if transforms.ranges.moves:
        size = images.shape[2], images.shape[3]
        grid = grids(transforms, size, size).to(images)
        images = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return lit(images, transforms, exact=exact)


def lit(images: Tensor, transforms: Transforms, *, exact: bool = False) -> Tensor:
    """Return images ``(R, C, H, W)`` after light, blur, noise and compression, in the order of a camera; nothing moves.

    ``exact`` is as in `photographed`.
    """
    ranges = transforms.ranges
    if ranges.brightness:
        images = distortions.brightness(images, transforms.brightness)
    if ranges.contrast:
        images = distortions.contrast(images, transforms.contrast)
    if ranges.gamma != 1:
        images = distortions.gamma(images, transforms.gamma)
    if ranges.blur:
        images = distortions.blur(images, transforms.blur)
    if ranges.noise:
        assert transforms.normal is not None  # drawn with the rest
        images = distortions.noise(images, transforms.sigma, transforms.normal.to(images))
    if ranges.quality is not None:
        images = (distortions.jpeg if exact else distortions.soft_jpeg)(images, transforms.quality)
    return images


def placed(images: Tensor, content: Tensor, coverage: Tensor, transforms: Transforms, centres: Tensor | None = None) -> Tensor:
    """Return images ``(R, C, H, W)`` with the content on them, each at the place, size and angle of its transformation.

    ``images * (1 - covered) + painted``, where one bilinear ``grid_sample`` reads ``content * coverage`` and ``coverage`` through the same
    grid: multiplied before it is read, the content does not darken at its edge. Outside of the content both are 0. The light is that of
    `lit`, which comes afterwards.

    Parameters
    ----------
    images
        The images in [0, 1].
    content
        The sticker's pixels, ``(C, h, w)``.
    coverage
        The share of each of its pixels that covers what is below, ``(1, h, w)``.
    transforms
        The drawn transformations, one for each image.
    centres
        The content's centre in each image before the shift; see `grids`.
    """
    grid = grids(transforms, (images.shape[2], images.shape[3]), (content.shape[1], content.shape[2]), centres).to(images)
    layers = torch.cat([content * coverage, coverage])[None].expand(len(images), -1, -1, -1)
    read = F.grid_sample(layers, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return images * (1 - read[:, -1:]) + read[:, :-1]
