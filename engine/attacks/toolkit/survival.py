"""Survival of images under fresh transformations: how often the attacker's goal is still reached, and with what probability."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from engine.artifacts import Table
from engine.attacks.toolkit.expectation import goals, succeeding
from engine.batching import rows_per_pass
from engine.intervals import wilson
from engine.operation import Problem
from engine.stickers.transforms import Transforms, photographed

_QUANTILE = 0.05


class Survival(NamedTuple):
    """Outcome of R transformations of each of N images."""

    success: Tensor
    """Whether the goal is reached, ``(R, N)`` bool."""
    probability: Tensor
    """The target's probability, or one minus the label's, ``(R, N)``."""

    @classmethod
    def joined(cls, parts: Sequence[Survival]) -> Self:
        """Join the outcomes of chunks of images."""
        return cls(torch.cat([part.success for part in parts], 1), torch.cat([part.probability for part in parts], 1))

    def table(self) -> Table:
        """Return a row for each image: counts, share with Wilson's 95 % interval, mean probability and its 5th percentile."""
        count, probability = len(self.success), self.probability.cpu()  # quantiles need float64, which some devices do not know
        hits: list[int] = self.success.sum(0).tolist()
        means: list[float] = probability.mean(0).tolist()
        lows: list[float] = probability.quantile(_QUANTILE, dim=0).tolist()
        rows = [(row, hit, hit / count, *wilson(hit, count), means[row], lows[row]) for row, hit in enumerate(hits)]
        columns = ("image", "successes", "share", "from", "to", "mean probability", "5th percentile")
        units = dict.fromkeys(columns[2:], "share")
        return Table(columns, tuple(rows), f"Success under {count} fresh transformations", units=units)  # type: ignore[arg-type]


def survival(problem: Problem, images: Tensor, drawn: Transforms) -> Generator[None, None, Survival]:
    """Return the outcome of ``images`` ``(N, C, H, W)`` under fresh transformations, in blocks of N rows, and yield between two passes.

    JPEG is that of files here, not its smooth stand-in.
    """
    count = len(images)
    at_once = max(1, rows_per_pass(images) // count)
    successes, probabilities = list[Tensor](), list[Tensor]()
    for first in range(0, len(drawn), at_once * count):
        if first:
            yield
        part = drawn.rows(slice(first, first + at_once * count))
        labels, targets = goals(problem, len(part) // count)
        with torch.no_grad():
            logits = problem.classifier(photographed(images.repeat(len(part) // count, 1, 1, 1), part, exact=True))
        chances = logits.softmax(1)
        chance = chances.gather(1, (labels if targets is None else targets)[:, None])[:, 0]
        successes.append(succeeding(logits, labels, targets).reshape(-1, count))
        probabilities.append((1 - chance if targets is None else chance).reshape(-1, count))
    return Survival(torch.cat(successes), torch.cat(probabilities))


def passes_of(images: Tensor, fresh: int) -> int:
    """Return how many passes `survival` takes for ``fresh`` transformations of each of ``images``."""
    at_once = max(1, rows_per_pass(images) // len(images))
    return -(-fresh // at_once)
