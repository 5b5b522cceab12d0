"""Images with a few pixels painted over, many of each image at once, and how many a step may hold."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.attacks.gradient.losses import LossName, value
from engine.operation import Problem

_CPU_VALUES = 2**17
"""Pixels that one pass holds on the CPU: 128 images of 32 x 32 take about 0.03 s on a small network, and stay near its caches."""
_DEVICE_VALUES = 2**24
_PASSES = 6
"""Passes of one step of a batch: up to 0.2 s on the CPU."""


def rows_per_pass(problem: Problem) -> int:
    """How many images one forward pass should hold: by their size and device alone, so that a batch is cut as its single images are."""
    return _rows(problem.images)


def _rows(images: Tensor) -> int:
    height, width = images.shape[2:]
    return max(1, (_CPU_VALUES if images.device.type == "cpu" else _DEVICE_VALUES) // (height * width))


def images_per_step(images: Tensor, candidates: int) -> int:
    """How many images a part may hold, of so many candidates each: a step of it takes `_PASSES` passes at most."""
    rows = _rows(images)
    return _PASSES * max(1, rows // candidates)


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
        ``(n * m, C, H, W)``, image after image; in memory channels last, so that a pixel is one place to write to.
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


class Tried(NamedTuple):
    """Candidates of some images and what the classifier says of them."""

    places: Tensor
    """``(n, m, d)``."""
    colours: Tensor
    """``(n, m, d, C)``."""
    logits: Tensor
    """``(n, m, K)``."""
    loss: Tensor
    """``(n, m)``; minus infinity where it would be NaN."""
    success: Tensor
    """``(n, m)`` bool."""


def tried(problem: Problem, places: Tensor, colours: Tensor, loss: LossName) -> Tried:
    """Ask the classifier for every candidate, an image or a few at a time."""
    n, copies = places.shape[:2]
    logits = []
    for some in torch.split(torch.arange(n, device=places.device), max(1, rows_per_pass(problem) // copies)):
        mask = problem.mask if problem.mask is None or len(problem.mask) == 1 else problem.mask[some]
        logits.append(problem.classifier(painted(problem.images[some], places[some], colours[some], mask)))
    found = torch.cat(logits)
    targets = None if problem.targets is None else problem.targets.repeat_interleave(copies)
    worth = value(loss, found, problem.labels.repeat_interleave(copies), targets).view(n, copies)
    found = found.view(n, copies, -1)
    success = problem.reached(found.transpose(0, 1)).transpose(0, 1) & ~found.isnan().any(2)
    return Tried(places, colours, found, worth.masked_fill(worth.isnan(), -torch.inf), success)


class Best:
    """The best candidate of every image so far: a success before any failure, then the largest loss."""

    def __init__(self, problem: Problem, loss: Tensor, logits: Tensor) -> None:
        self.images, self.loss, self.logits, self.success = problem.images, loss, logits, problem.succeeds(logits)

    def keep(self, problem: Problem, rows: Tensor, tried: Tried) -> None:
        """Take over the best of the candidates of ``problem``'s images, whose numbers are ``rows`` ``(n,)``."""
        loss, success = tried.loss, tried.success
        chosen = torch.where(success | ~success.any(1, keepdim=True), loss, -torch.inf).argmax(1)
        here = torch.arange(len(rows), device=rows.device)
        loss, success = loss[here, chosen], success[here, chosen]
        before, was = self.loss[rows], self.success[rows]
        better = (success & ~was) | ((success == was) & (loss > before))
        places, colours = tried.places[here, chosen][:, None], tried.colours[here, chosen][:, None]
        images = torch.where(better[:, None, None, None], painted(problem.images, places, colours, problem.mask), self.images[rows])
        self.images = self.images.index_copy(0, rows, images)
        self.loss = self.loss.index_copy(0, rows, torch.where(better, loss, before))
        self.success = self.success.index_copy(0, rows, success | was)
        self.logits = self.logits.index_copy(0, rows, torch.where(better[:, None], tried.logits[here, chosen], self.logits[rows]))
