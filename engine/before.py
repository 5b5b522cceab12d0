"""Preprocessing as a classifier sees it: steps before the network that may make several copies of an image, or hide their gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

Before = Callable[[Tensor], Tensor]
"""A step before the network: any function from images ``(N, C, H, W)`` to images."""


class InFront:
    """Base of steps that tell the classifier more about themselves than a plain function can."""

    @property
    def copies(self) -> int:
        """Number of rows that it makes of each row; they follow each other."""
        return 1

    @property
    def hidden(self) -> bool:
        """Whether the attacker does not know of it: gradients are then those of the network without it."""
        return False


def copies_of(steps: Sequence[Before]) -> int:
    """Return how many rows the network sees for each image."""
    told: list[object] = list(steps)
    return math.prod([step.copies for step in told if isinstance(step, InFront)])


def known(steps: Sequence[Before]) -> tuple[Before, ...]:
    """Return the steps that an attacker knows, through which his gradient passes."""
    return tuple(step for step in steps if not (isinstance(step, InFront) and step.hidden))


def applied(steps: Sequence[Before], images: Tensor) -> Tensor:
    """Apply the steps one after the other to images ``(N, C, H, W)``."""
    for step in steps:
        images = step(images)
    return images


def grouped(step: Before, images: Tensor) -> Tensor:
    """Return what ``step`` makes of each image as one row: ``(N, copies, C, H, W)`` where it makes copies."""
    found, copies = step(images), copies_of([step])
    return found if copies == 1 else found.reshape(len(images), copies, *found.shape[1:])


def pooled(logits: Tensor, copies: int) -> Tensor:
    """Return the logarithm of the mean probability ``(N, K)`` of the copies of each image, from their logits ``(N * copies, K)``.

    Probabilities are averaged, and not logits: they are bounded, so that no single copy outvotes the others by its size.
    """
    if copies == 1:
        return logits
    return logits.log_softmax(1).view(-1, copies, logits.shape[1]).logsumexp(1) - math.log(copies)
