"""Painting many candidates at once: boxes of single colours on whole pixels, and rotated ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.devices import precise
from engine.stickers.content import in_channels
from engine.stickers.shapes import RECTANGLE

Rgb = tuple[float, float, float]


def levels(colours: Sequence[Rgb], images: Tensor) -> Tensor:
    """Return colours in the channels of ``images`` ``(n, C, H, W)``: ``(S, C)``, a grey image's as the mean."""
    channels = images.shape[1]
    return torch.stack([in_channels(torch.tensor(rgb).reshape(3, 1, 1), channels).reshape(channels) for rgb in colours]).to(images)


def with_boxes(images: Tensor, boxes: Tensor, colours: Sequence[Rgb]) -> Tensor:
    """Paint boxes on whole pixels over images, the last on top: bit by bit what `engine.stickers.paint` makes of them.

    Parameters
    ----------
    images
        ``(n, C, H, W)``.
    boxes
        ``(n, P, S, 4)``: left, top, width and height of S boxes of each of P candidates.
    colours
        The colour of each of the S boxes.

    Returns
    -------
    Tensor
        ``(n, P, C, H, W)``.
    """
    height, width = images.shape[2:]
    left, top, across, down = boxes.unbind(-1)
    rows, columns = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    in_rows = (rows >= top[..., None]) & (rows < (top + down)[..., None])
    in_columns = (columns >= left[..., None]) & (columns < (left + across)[..., None])
    painted, shades = images[:, None], levels(colours, images)
    first = 0
    while first < len(colours):
        last = first  # boxes of one colour in a row are painted together, since their order shows nowhere
        covered = in_rows[:, :, first, :, None] & in_columns[:, :, first, None, :]
        while last + 1 < len(colours) and colours[last + 1] == colours[first]:
            last += 1
            covered |= in_rows[:, :, last, :, None] & in_columns[:, :, last, None, :]
        painted = torch.where(covered[:, :, None], shades[first][:, None, None], painted)
        first = last + 1
    return painted


def with_frames(images: Tensor, frames: Tensor, colours: Sequence[Rgb]) -> Tensor:
    """Paint rotated boxes over images, by the share of each pixel that they cover.

    ``frames`` is ``(n, P, S, 5)``, see `engine.stickers.frames`; otherwise like `with_boxes`.
    """
    height, width = images.shape[2:]
    covered = RECTANGLE.coverage_at(frames.to(precise(frames.device)), height, width).float().to(images)
    painted = images[:, None]
    for place, shade in enumerate(levels(colours, images)):
        share = covered[:, :, place, None]
        painted = (1 - share) * painted + share * shade[:, None, None]
    return painted
