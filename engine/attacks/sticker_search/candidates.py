"""Evaluation of painted candidates, and the best one of each image."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.attacks.sticker_search.space import Space
from engine.attacks.toolkit.losses import value
from engine.batching import rows_per_pass
from engine.operation import Problem
from engine.ranking import beats, best_of
from engine.stickers.rendering import paint
from engine.stickers.sticker import Sticker


class Tried(NamedTuple):
    """Candidates of some images with their evaluation."""

    placed: Tensor
    """Places, ``(n, m, ...)``."""
    logits: Tensor
    """Logits, ``(n, m, K)``."""
    loss: Tensor
    """Margins, ``(n, m)``; minus infinity in place of NaN."""
    success: Tensor
    """Successes, ``(n, m)`` bool."""


def tried(problem: Problem, space: Space, placed: Tensor) -> Tried:
    """Evaluate candidates ``(n, m, ...)``: all in one forward pass, or as few as hold `engine.batching.rows_per_pass` rows each."""
    n, members = placed.shape[:2]
    logits = []
    for some in torch.split(torch.arange(n, device=placed.device), max(1, rows_per_pass(problem.images) // members)):
        part = problem if len(some) == n else problem.select(some)
        painted = shown(part, (space if len(some) == n else space.select(some)).painted(part.images, placed[some]))
        logits.append(problem.classifier(painted.flatten(0, 1)))
    return judged(problem, placed, torch.cat(logits))


def judged(problem: Problem, placed: Tensor, logits: Tensor) -> Tried:
    """Return candidates with their margins and successes, given their logits ``(n * m, K)``."""
    n, members = placed.shape[:2]
    targets = None if problem.targets is None else problem.targets.repeat_interleave(members)
    loss = value("margin", logits, problem.labels.repeat_interleave(members), targets).view(n, members)
    logits = logits.view(n, members, -1)
    success = problem.succeeds(logits.transpose(0, 1)).transpose(0, 1)
    return Tried(placed, logits, loss.masked_fill(loss.isnan(), -torch.inf), success)


def shown(problem: Problem, painted: Tensor) -> Tensor:
    """Return candidates ``(n, m, C, H, W)`` as far as a soft mask lets them show; a mask of 0 and 1 changes nothing."""
    mask = problem.mask
    if mask is None:
        return painted
    images, mask = problem.images[:, None], mask[:, None]
    return torch.where(mask == 1, painted, images + mask * (painted - images))


class BestPlaced:
    """Keeper of the best candidate of each image: a success before any failure, then the largest margin."""

    def __init__(self, problem: Problem, logits: Tensor) -> None:
        self.images, self.logits = problem.images, logits
        self.loss = value("margin", logits, problem.labels, problem.targets)
        self.success = problem.succeeds(logits)
        self.stickers: list[tuple[Sticker, ...]] = [()] * len(logits)
        """The stickers on each image; none where no candidate was better than the clean image."""

    def keep(self, problem: Problem, space: Space, rows: Tensor, found: Tried) -> None:
        """Keep the best candidates of ``problem``'s images, whose indices in the whole batch are ``rows`` ``(n,)``."""
        here = torch.arange(len(rows), device=rows.device)
        chosen = best_of(found.success, found.loss, dim=1)
        best = Tried(*(each[here, chosen][:, None] for each in found))
        better = beats(best.success[:, 0], best.loss[:, 0], self.success[rows], self.loss[rows])
        some = better.nonzero().flatten()
        if not len(some):
            return
        part, within = problem.select(some), space.select(some)
        best = Tried(*(each[some] for each in best))
        images = shown(part, within.painted(part.images, best.placed))[:, 0]
        stickers = [within.stickers(placed) for placed in best.placed[:, 0]]
        if not space.exact:
            images, best = self._painted_exactly(part, stickers, images, best)
        taken = rows[some]
        for row, each in zip(taken.tolist(), stickers, strict=True):
            self.stickers[row] = each
        self.images = self.images.index_copy(0, taken, images)
        self.loss = self.loss.index_copy(0, taken, best.loss[:, 0])
        self.success = self.success.index_copy(0, taken, best.success[:, 0])
        self.logits = self.logits.index_copy(0, taken, best.logits[:, 0])

    def _painted_exactly(self, problem: Problem, stickers: list[tuple[Sticker, ...]], images: Tensor, best: Tried) -> tuple[Tensor, Tried]:
        """Return the images as the canvas paints them, queried once more where the last digit of a value differs."""
        exact = torch.stack([paint(image, each) for image, each in zip(problem.images, stickers, strict=True)])
        exact = shown(problem, exact[:, None])[:, 0]
        if torch.equal(exact, images):
            return images, best
        return exact, judged(problem, best.placed, problem.classifier(exact))
