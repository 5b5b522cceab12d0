"""The worst of many candidates of each image, where a candidate is a point of a few numbers and the image that they make."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from engine.attacks.toolkit.losses import LossName, hard_margin, value
from engine.operation import Problem
from engine.ranking import beats, best_of


@dataclass(frozen=True, eq=False)
class Tried:
    """Several candidates of each image with their evaluation."""

    images: Tensor
    """``(N, m, C, H, W)``."""
    points: Tensor
    """The numbers that make the images, ``(N, m, P)``."""
    logits: Tensor
    """``(N, m, K)``."""
    loss: Tensor
    """``(N, m)``; minus infinity in place of NaN."""
    success: Tensor
    """``(N, m)`` bool."""

    @classmethod
    def of(cls, problem: Problem, images: Tensor, points: Tensor, logits: Tensor, loss: LossName) -> Self:
        """Judge images ``(N * m, C, H, W)``, the candidates of each image one after the other, with their points and logits."""
        n = len(problem.images)
        each = len(images) // n
        labels, targets = (None if t is None else t.repeat_interleave(each) for t in (problem.labels, problem.targets))
        assert labels is not None
        values = value(loss, logits, labels, targets).view(n, each)
        logits = logits.view(n, each, -1)
        success = problem.succeeds(logits.transpose(0, 1)).transpose(0, 1)
        shaped = images.view(n, each, *images.shape[1:])
        return cls(shaped, points.view(n, each, -1), logits, values.masked_fill(values.isnan(), -torch.inf), success)

    def margins(self, problem: Problem) -> Tensor:
        """Return the margins ``(N, m)``: above 0 the attack succeeds."""
        goals = problem.labels if problem.targets is None else problem.targets
        margins = hard_margin(self.logits.flatten(0, 1), goals.repeat_interleave(self.logits.shape[1])).view(self.loss.shape)
        return margins if problem.targets is None else -margins


@dataclass(frozen=True, eq=False)
class Worst:
    """The worst candidate of every image so far: misclassified before correctly classified, then the larger loss."""

    images: Tensor
    loss: Tensor
    logits: Tensor
    points: Tensor
    """The numbers that make the images, ``(N, P)``."""

    @classmethod
    @torch.no_grad()
    def begun(cls, problem: Problem, numbers: int, loss: LossName) -> Self:
        """Return the images as they are, with 0 for each of the ``numbers`` of a point. It costs a forward pass."""
        images = problem.images
        logits = problem.classifier(images)
        return cls(images, value(loss, logits, problem.labels, problem.targets), logits, images.new_zeros(len(images), numbers))

    def after(self, problem: Problem, found: Tried, *, ends_at_success: bool = False) -> Self:
        """Return the worst of these and of ``found``; with ``ends_at_success``, images that are misclassified already stay as they are."""
        rows, chosen = torch.arange(len(self.loss), device=self.loss.device), best_of(found.success, found.loss, dim=1)
        loss = found.loss[rows, chosen]
        succeeded = problem.succeeds(self.logits)
        better = beats(found.success[rows, chosen], loss, succeeded, self.loss)
        if ends_at_success:
            better = better & ~succeeded
        return type(self)(
            torch.where(better[:, None, None, None], found.images[rows, chosen], self.images),
            torch.where(better, loss, self.loss),
            torch.where(better[:, None], found.logits[rows, chosen], self.logits),
            torch.where(better[:, None], found.points[rows, chosen], self.points),
        )

    def select(self, rows: Tensor) -> Self:
        """Return those of the images with these indices."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    def filled(self, rows: Tensor, part: Self) -> Self:
        """Return these with ``part`` in place of the images with these indices."""
        return type(self)(*(getattr(self, each.name).index_copy(0, rows, getattr(part, each.name)) for each in fields(self)))
