"""Patches on images: pasted at a place for each image, and cut out of gradients there."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.object_detection.boxes import Boxes


def pasted(images: Tensor, patch: Tensor, places: Tensor) -> Tensor:
    """Return images ``(N, C, H, W)`` with the patch ``(C, h, w)`` at ``places`` (left, top) ``(N, 2)``; no other pixel changes."""
    covered, source = _cover(images, patch, places)
    flat = patch.flatten(1)[:, source].transpose(0, 1)
    return torch.where(covered, flat, images)


def cut_out(values: Tensor, size: tuple[int, int], places: Tensor) -> Tensor:
    """Return the parts ``(N, C, h, w)`` of values ``(N, C, H, W)`` below a patch of ``size`` (h, w) at ``places`` (left, top)."""
    height, width = size
    rows = places[:, 1, None] + torch.arange(height, device=values.device)
    columns = places[:, 0, None] + torch.arange(width, device=values.device)
    each = torch.arange(len(values), device=values.device)[:, None, None]
    return values.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def boxes_at(places: Tensor, size: tuple[int, int], label: int) -> list[Boxes]:
    """Return for each image one box of class ``label``: that of a patch of ``size`` (h, w) at ``places`` (left, top)."""
    sides = torch.cat([places, places + torch.tensor(size[::-1], device=places.device)], 1).float()
    labels, scores = torch.full_like(places[:1, 0], label), torch.ones_like(sides[:1, 0])
    return [Boxes.known(row[None], labels, scores) for row in sides]


def check_fits(size: tuple[int, int], left: int, top: int, image: tuple[int, int]) -> None:
    """Refuse a patch of ``size`` (h, w) that does not lie inside an image (H, W) at this place.

    Raises
    ------
    GibbonError
        It is larger than the image, or reaches beyond its edge there.
    """
    (height, width), (rows, columns) = size, image
    if height > rows or width > columns:
        raise GibbonError(f"The patch of {width} × {height} pixels is larger than the image of {columns} × {rows}. Choose a smaller size.")
    if left + width > columns or top + height > rows:
        raise GibbonError(
            f"The patch of {width} × {height} pixels at left {left}, top {top} leaves the image of {columns} × {rows} pixels. "
            f"Choose at most left {columns - width} and top {rows - height}."
        )


def _cover(images: Tensor, patch: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return which pixels ``(N, 1, H, W)`` a patch covers, and for each pixel ``(N, H, W)`` the index of the patch's pixel there."""
    height, width = patch.shape[-2:]
    y = torch.arange(images.shape[2], device=images.device) - places[:, 1, None]
    x = torch.arange(images.shape[3], device=images.device) - places[:, 0, None]
    covered = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    source = y.clamp(0, height - 1)[:, :, None] * width + x.clamp(0, width - 1)[:, None, :]
    return covered[:, None], source
