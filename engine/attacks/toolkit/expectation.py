"""Expectation over transformation: loss and gradient of images as the mean over themselves and drawn transformations of them.

Athalye, Engstrom, Ilyas, Kwok 2017, arXiv 1707.07397.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from engine.attacks.toolkit.losses import LossName, ascent, value
from engine.batching import rows_per_pass
from engine.operation import Problem
from engine.ranking import reached
from engine.stickers.transforms import Transforms, photographed


class Expected(NamedTuple):
    """Loss, gradient and success of images ``(N, C, H, W)`` under transformations."""

    logits: Tensor
    """Logits ``(N, K)`` of the images themselves."""
    loss: Tensor
    """The loss that the attacker maximises, ``(N,)``: the mean over the image and its transformations."""
    success: Tensor
    """Share of the transformations that reach the goal, ``(N,)``; without transformations that of the image itself."""
    gradient: Tensor
    """Gradient of the loss, ``(N, C, H, W)``; where none was requested an expanded zero."""


@dataclass(frozen=True)
class Passes:
    """Division of a look at N images and ``samples`` transformations of each into passes of at most 0.1 s."""

    images: int
    samples: int
    at_once: int
    """Blocks in one pass. A block holds the images once."""

    @classmethod
    def of(cls, images: Tensor, samples: int) -> Passes:
        """Return the passes for images ``(N, C, H, W)``; the first block holds them as they are, each other one a transformation of all."""
        return cls(len(images), samples, max(1, rows_per_pass(images) // len(images)))

    @property
    def count(self) -> int:
        """Number of passes of one look."""
        return math.ceil((1 + self.samples) / self.at_once)


def images_together(images: Tensor, samples: int) -> int:
    """Return how many images a chunk may hold, so that a pass over them and their ``samples`` transformations takes at most 0.1 s."""
    return max(1, rows_per_pass(images) // (1 + samples))


def expected(
    problem: Problem, images: Tensor, drawn: Transforms | None, loss: LossName, *, gradient: bool = True
) -> Generator[None, None, Expected]:
    """Return loss, success and gradient of ``images``, and yield between two passes.

    ``mean over b of loss(logits(t_b(images)))``, where ``t_0`` changes nothing and the others are ``drawn``, in blocks as of
    `engine.stickers.transforms.draw`. All rows of a pass are one batch. Without transformations this is the plain loss of the images, to
    the same bits. The problem's ``objective`` of the images themselves is added.
    """
    count, samples = len(images), 0 if drawn is None else len(drawn) // len(images)
    passes = Passes.of(images, samples)
    images = images.detach()
    losses, shares, slope, own = list[Tensor](), list[Tensor](), torch.zeros_like(images), None
    for first in range(0, 1 + samples, passes.at_once):
        if first:
            yield
        last = min(first + passes.at_once, 1 + samples)
        with torch.set_grad_enabled(gradient):
            watched = images.clone().requires_grad_() if gradient else images
            rows = _rows(watched, drawn, first, last)
            labels, targets = goals(problem, last - first)
            logits = problem.classifier(rows)
            extra = problem.objective(watched) if problem.objective is not None and first == 0 else None
            if gradient:
                raised = ascent(loss, logits, labels, targets)
                raised = raised if samples == 0 else raised / (1 + samples)
                total = raised.sum() if extra is None else raised.sum() + extra.sum()
                found = problem.classifier.gradient(total, watched)
                problem.classifier.backwards += len(rows) - count
                slope = found if first == 0 else slope + found
        logits = logits.detach()
        own = logits[:count] if first == 0 else own
        losses.append(value(loss, logits, labels, targets).reshape(-1, count))
        shares.append(succeeding(logits, labels, targets).reshape(-1, count))
        if extra is not None:
            objective = extra.detach()
    mean = losses[0][0] if samples == 0 else torch.cat(losses).mean(0)
    success = torch.cat(shares)
    success = (success if samples == 0 else success[1:]).to(mean.dtype).mean(0)
    assert own is not None
    return Expected(own, mean if problem.objective is None else mean + objective, success, slope)


def goals(problem: Problem, blocks: int) -> tuple[Tensor, Tensor | None]:
    """Return labels and targets of ``blocks`` blocks of the problem's images."""
    return problem.labels.repeat(blocks), None if problem.targets is None else problem.targets.repeat(blocks)


def succeeding(logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """Return whether logits ``(R, K)`` are a success of the attacker, ``(R,)``; NaN is none."""
    return reached(logits.argmax(1), labels, targets) & ~logits.isnan().any(1)


def _rows(images: Tensor, drawn: Transforms | None, first: int, last: int) -> Tensor:
    """Return the rows of the blocks from ``first`` to ``last``; block 0 holds the images as they are."""
    count = len(images)
    begin = max(first, 1)
    if drawn is None or begin == last:
        return images
    moved = photographed(images.repeat(last - begin, 1, 1, 1), drawn.rows(slice((begin - 1) * count, (last - 1) * count)))
    return moved if first else torch.cat([images, moved])
