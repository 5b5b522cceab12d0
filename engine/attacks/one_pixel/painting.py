"""Painting of a few pixels over images, many copies of each image at once."""

from __future__ import annotations

import torch
from torch import Tensor


def painted(images: Tensor, places: Tensor, colours: Tensor, mask: Tensor | None = None) -> Tensor:
    """Copy every image ``m`` times and paint ``d`` pixels of each copy; where two are the same pixel the later one stays.

    Parameters
    ----------
    images
        ``(n, C, H, W)``.
    places
        ``(n, m, d)`` int64: ``row * W + column``.
    colours
        ``(n, m, d, C)`` in [0, 1].
    mask
        ``(n or 1, 1, H, W)`` in [0, 1]: ``clean + mask * (colour - clean)`` where it is between 0 and 1.

    Returns
    -------
    Tensor
        ``(n * m, C, H, W)``, image after image; channels last in memory, so that a pixel is one contiguous write.
    """
    n, channels, height, width = images.shape
    _, copies, changes = places.shape
    clean = images.permute(0, 2, 3, 1).reshape(n, 1, height * width, channels)
    canvas = clean.repeat(1, copies, 1, 1).reshape(n * copies, height * width, channels)
    row = torch.arange(n * copies, device=images.device)
    for change in range(changes):
        place, colour = places[:, :, change], colours[:, :, change]
        if mask is not None:
            colour = masked(clean[:, 0], place, colour, mask)
        canvas[row, place.reshape(-1)] = colour.reshape(-1, channels)
    return canvas.reshape(n * copies, height, width, channels).permute(0, 3, 1, 2)


def masked(clean: Tensor, place: Tensor, colour: Tensor, mask: Tensor) -> Tensor:
    """Return ``clean + mask * (colour - clean)`` at places ``(n, m)`` of ``clean`` ``(n, H * W, C)``, as ``(n, m, C)``."""
    weight = mask.flatten(1).expand(len(clean), -1).gather(1, place)[..., None]
    under = clean.gather(1, place[..., None].expand_as(colour))
    mixed = under + weight * (colour - under)
    # Without a blend the exact bits are copied instead of a sum.
    return torch.where(weight == 1, colour, torch.where(weight == 0, under, mixed))
