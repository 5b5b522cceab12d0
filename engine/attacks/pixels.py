"""Images with a few pixels painted over, many of each image at once, and how many a step may hold."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.operation import Problem

_CPU_VALUES = 2**17
"""Pixels that one pass holds on the CPU: 128 images of 32 x 32 take about 0.03 s on a small network, and stay near its caches."""
_DEVICE_VALUES = 2**24


def rows_per_pass(problem: Problem) -> int:
    """How many images one forward pass should hold: by their size and device alone, so that a batch is cut as its single images are."""
    height, width = problem.images.shape[2:]
    return max(1, (_CPU_VALUES if problem.images.device.type == "cpu" else _DEVICE_VALUES) // (height * width))


def painted(images: Tensor, places: Tensor, colours: Tensor, mask: Tensor | None = None) -> Tensor:
    """Every image ``m`` times, each copy with ``d`` pixels painted over; where two are the same pixel the later one stays.

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
        ``(n * m, C, H, W)``, image after image, in memory channels last: convolutions on the CPU take half the time that way.
    """
    n, channels, height, width = images.shape
    _, copies, changes = places.shape
    clean = images.permute(0, 2, 3, 1).reshape(n, 1, height * width, channels)
    canvas = clean.repeat(1, copies, 1, 1).reshape(n * copies, height * width, channels)
    row = torch.arange(n * copies, device=images.device)
    for change in range(changes):
        place, colour = places[:, :, change], colours[:, :, change]
        if mask is not None:
            colour = _masked(clean[:, 0], place, colour, mask)
        canvas[row, place.reshape(-1)] = colour.reshape(-1, channels)
    return canvas.reshape(n * copies, height, width, channels).permute(0, 3, 1, 2)


def _masked(clean: Tensor, place: Tensor, colour: Tensor, mask: Tensor) -> Tensor:
    weight = mask.flatten(1).expand(len(clean), -1).gather(1, place)[..., None]
    under = clean.gather(1, place[..., None].expand_as(colour))
    mixed = under + weight * (colour - under)
    return torch.where(weight == 1, colour, torch.where(weight == 0, under, mixed))  # bits, not sums, where nothing is mixed


class Best:
    """The best candidate of every row so far: a success before any failure, then the largest loss. NaN is never better."""

    def __init__(self, images: Tensor, loss: Tensor, logits: Tensor, success: Tensor) -> None:
        self.images, self.loss, self.logits, self.success = images, loss, logits, success

    def keep(self, rows: Tensor, images: Tensor, loss: Tensor, logits: Tensor, success: Tensor) -> None:
        """Take over the best of ``m`` candidates for each of ``rows`` (n,): images ``(n, m, C, H, W)``, the others ``(n, m, ...)``."""
        loss = loss.masked_fill(loss.isnan(), -torch.inf)
        chosen = torch.where(success | ~success.any(1, keepdim=True), loss, -torch.inf).argmax(1)
        here = torch.arange(len(rows), device=rows.device)
        loss, success = loss[here, chosen], success[here, chosen]
        before, was = self.loss[rows], self.success[rows]
        better = (success & ~was) | ((success == was) & (loss > before))
        self.loss = self.loss.index_copy(0, rows, torch.where(better, loss, before))
        self.success = self.success.index_copy(0, rows, success | was)
        self.images = self.images.index_copy(0, rows, torch.where(better[:, None, None, None], images[here, chosen], self.images[rows]))
        self.logits = self.logits.index_copy(0, rows, torch.where(better[:, None], logits[here, chosen], self.logits[rows]))
