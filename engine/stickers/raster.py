"""Exact coverage of pixels by polygons and boxes: the area of each pixel that lies inside, differentiable in every corner."""

from __future__ import annotations

import torch
from torch import Tensor

_FLAT = 1e-6
"""Length in pixels below which a piece of an edge counts as vertical, so that no quotient of rounding errors is formed."""


def box_coverage(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return the area of each pixel inside axis-aligned boxes.

    ``clamp(min(right, c + 1) - max(left, c), 0) * clamp(min(bottom, r + 1) - max(top, r), 0)`` for the pixel in row r and column c.

    Parameters
    ----------
    boxes
        ``(..., 4)``: left and top edge, width and height, in pixels.
    height, width
        The size of the image.

    Returns
    -------
    Tensor
        ``(..., height, width)`` in [0, 1].
    """
    left, top, across, down = boxes.unbind(-1)
    columns, rows = (torch.arange(side, dtype=boxes.dtype, device=boxes.device) for side in (width, height))
    return _overlap(top, top + down, rows)[..., :, None] * _overlap(left, left + across, columns)[..., None, :]


def polygon_coverage(corners: Tensor, height: int, width: int) -> Tensor:
    """Return the area of each pixel inside closed polygons.

    By Green's theorem the area of a polygon within the pixel in row r and column c is the sum, over its edges, of the integral of
    ``clamp(x(y) - c, 0, 1) dy`` over the edge's part in row r. Edges are cut at the rows, and each integral has a closed form, so the
    area is exact, also for slivers thinner than a pixel. Where a polygon crosses itself, parts that it winds around several times count
    once, as under the nonzero rule; only pixels that hold a crossing themselves may deviate.

    Parameters
    ----------
    corners
        ``(..., V, 2)``: the corners in order, each ``(x, y)`` in pixels.
    height, width
        The size of the image.

    Returns
    -------
    Tensor
        ``(..., height, width)`` in [0, 1], with a gradient for every corner.
    """
    many = corners.reshape(-1, *corners.shape[-2:])
    start, end = many, many.roll(-1, 1)
    polygon, row, begun, ended = _cut_at_rows(start, end, height)
    columns = torch.arange(width, dtype=corners.dtype, device=corners.device)
    areas = _mean_overlap(begun[:, :1] - columns, ended[:, :1] - columns) * (ended[:, 1:] - begun[:, 1:])
    rows = corners.new_zeros(len(many) * height, width).index_add(0, polygon * height + row, areas)
    return rows.abs().clamp(max=1).reshape(*corners.shape[:-2], height, width)


def _cut_at_rows(start: Tensor, end: Tensor, height: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cut edges ``(P, V, 2)`` at the rows of the image: return each piece's polygon, row, and both ends ``(K, 2)``."""
    rows = torch.arange(height, dtype=start.dtype, device=start.device)
    y0, y1 = start[..., 1:].detach(), end[..., 1:].detach()
    crossed = (torch.minimum(y0, y1) < rows + 1) & (torch.maximum(y0, y1) > rows) & (y0 != y1)
    polygon, edge, row = crossed.nonzero(as_tuple=True)
    a, b, top = start[polygon, edge], end[polygon, edge], rows[row]
    slope = (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    ends = [torch.minimum(torch.maximum(point[:, 1], top), top + 1) for point in (a, b)]
    begun, ended = (torch.stack([a[:, 0] + (y - a[:, 1]) * slope, y], 1) for y in ends)
    return polygon, row, begun, ended


def _mean_overlap(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean of ``clamp(s, 0, 1)`` for s from a to b."""
    low, high = a.clamp(0, 1), b.clamp(0, 1)
    beyond = b.clamp(min=1) - a.clamp(min=1)
    flat = (b - a).abs() < _FLAT
    length = torch.where(flat, torch.ones_like(a), b - a)
    return torch.where(flat, ((a + b) / 2).clamp(0, 1), ((high - low) * (high + low) / 2 + beyond) / length)


def _overlap(low: Tensor, high: Tensor, cells: Tensor) -> Tensor:
    """Return the length of each unit interval from ``cells`` that lies between ``low`` and ``high``."""
    return (torch.minimum(high[..., None], cells + 1) - torch.maximum(low[..., None], cells)).clamp(min=0)
