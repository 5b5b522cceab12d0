"""The nearest adversarial image of every row so far, and the boundary search between it and the clean image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.losses import LossName, value
from engine.attacks.toolkit.rounding import Rounded
from engine.balls import TINY, column
from engine.operation import AttackStep, Problem
from engine.ranking import rounding

BEHIND = 2.0
"""Offset between two classes of scores in (0, 1]: an image that may not survive rounding ranks after every image that does."""
_SHORTER = 1 - 1e-6
"""Factor below which a length counts as shorter. Radii that grow and shrink by the same factors return to themselves only up to rounding,
which must not decide between two images.
"""


def nearness(length: Tensor) -> Tensor:
    """Return a score from 1 for the clean image towards 0: differences of lengths stay visible beside `BEHIND` in float32, too."""
    return 1 / (1 + length)


class Nearest:
    """Keeper of each row's nearest image that is adversarial by the required margin.

    Parameters
    ----------
    problem
        The problem of all images.
    distance
        Function from perturbations ``(N, C, H, W)`` to lengths ``(N,)``.
    least_margin
        The margin by which the wanted logit must lead.
    sparse
        Whether the distance counts pixels: the segment to the clean image then removes pixels instead of length.
    strict
        Whether only a lead beyond `rounding` counts. A least margin above 0 asks for more anyway.
    loss
        Name of the loss that the steps of this search report.
    """

    def __init__(
        self,
        problem: Problem,
        distance: Callable[[Tensor], Tensor],
        least_margin: float = 0.0,
        sparse: bool = False,
        *,
        strict: bool = False,
        loss: LossName = "margin",
    ) -> None:
        self._loss: LossName = loss
        self._problem, self._distance, self._least_margin, self._sparse = problem, distance, least_margin, sparse
        self._strict = strict and least_margin == 0
        clean = problem.images
        self.images = clean
        self.length = torch.full((len(clean),), torch.inf, device=clean.device, dtype=clean.dtype)
        self.found = torch.zeros(len(clean), dtype=torch.bool, device=clean.device)
        self.logits: Tensor
        """Logits of ``images``, ``(N, K)``."""
        self._clean_logits: Tensor | None = None

    @torch.no_grad()
    def keep(self, step: AttackStep) -> AttackStep:
        """Keep the rows in which the step is adversarial enough and nearer; return the step with its logits."""
        if step.logits is None:
            step = replace(step, logits=self._problem.classifier.verdict(step.adversarial))
        assert step.logits is not None
        self._take(step.adversarial, step.logits)
        return step

    def step(self, index: int, total: int | None, images: Tensor, logits: Tensor) -> AttackStep:
        """Return a step for an iterate of this search."""
        return AttackStep(index, total, images, value(self._loss, logits, self._problem.labels, self._problem.targets), logits)

    def score_of(self, eight_bit: bool) -> Tensor | None:
        """Return the score of the last step that was kept; None: the driver's own, minus the distance."""
        if eight_bit:
            return self._nearness - BEHIND
        return self._score if self._least_margin or self._strict else None

    def judge(self, images: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of images of these ``rows``, and which of them are adversarial enough."""
        part = self._problem.select(rows)
        logits = part.classifier.verdict(images)
        return logits, self.enough(logits, part)

    def rounded_step(self, index: int, total: int | None, tried: Rounded) -> AttackStep:
        """Return a step with the nearest images, or those ``tried`` on the 8-bit grid; the driver keeps the shortest survivor."""
        rows = tried.rows
        images, logits = self.images.index_copy(0, rows, tried.images), self.logits.index_copy(0, rows, tried.said)
        near = nearness(self._distance(tried.images - self._problem.images[rows])) - torch.where(tried.survives, 0.0, 2 * BEHIND)
        score = torch.full_like(self.length, -2 * BEHIND).index_copy(0, rows, near)
        return replace(self.step(index, total, images, logits), score=score)

    def enough(self, logits: Tensor, problem: Problem | None = None) -> Tensor:
        """Return the rows (of ``problem``, by default all) that succeed by the required margin."""
        problem = problem or self._problem
        reached = problem.succeeds(logits)
        if self._least_margin == 0 and not self._strict:
            return reached
        return reached & (self._margin(logits, problem) >= 0)

    @torch.no_grad()
    def boundary(self, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images and logits on the segments to the nearest images, until the boundary is known to ``2^-steps`` of their length.

        The margin is interpolated linearly, slightly towards the side that would close the bracket; a bracket that this did not halve is
        halved next. So twice ``steps`` passes suffice for any margin.
        """
        precision = 0.5**steps
        far, low, high = self.images, torch.zeros_like(self.length), torch.ones_like(self.length)
        below = self._margin(self.logits if self._clean_logits is None else self._clean_logits).clamp_max(-TINY)
        above = self._margin(self.logits).clamp_min(TINY)
        hair = 0.4 * precision  # two misses on a straight margin then leave less than the precision, not exactly the precision
        aside = torch.full_like(low, -hair)
        slow = torch.zeros_like(self.found)
        active = ActiveRows(self._problem)
        rank = _ranks(far - self._problem.images) if self._sparse else None
        for _ in range(2 * steps):
            rows = (self.found & (self.length > 0) & (high - low > precision)).nonzero().flatten()
            if not len(rows):
                return
            guess = (low * above - high * below) / (above - below) + aside
            inside = (guess > low) & (guess < high) & ~slow  # both comparisons are false for NaN
            middle = torch.where(inside, guess, (low + high) / 2)
            active.work_on(rows)
            tried = self._between(far, middle, rank, rows)
            logits = active.problem.classifier.verdict(tried)
            enough = self.enough(logits, active.problem)
            success, missed = (active.filled(torch.zeros_like(slow), part) for part in (enough, ~enough))
            margin = active.filled(torch.zeros_like(low), self._margin(logits, active.problem))
            width = high - low
            high, above = torch.where(success, middle, high), torch.where(success, margin.clamp_min(TINY), above)
            low, below = torch.where(missed, middle, low), torch.where(missed, margin.clamp_max(-TINY), below)
            aside = torch.where(success, -hair, hair)
            slow = high - low > 0.55 * width  # the limit exceeds one half, or rounding would decide after an exact halving
            images, logits = active.filled(self.images, tried), active.filled(self.logits, logits)
            self._take(images, logits)
            yield images, logits

    def _between(self, far: Tensor, t: Tensor, rank: Tensor | None, rows: Tensor) -> Tensor:
        clean = self._problem.images[rows]
        if rank is not None:
            return torch.where(rank[rows] < column(t[rows], clean), far[rows], clean)
        return (clean + column(t[rows], clean) * (far[rows] - clean)).clamp(0, 1)

    def _take(self, images: Tensor, logits: Tensor) -> None:
        length = self._distance(images - self._problem.images)
        enough = self.enough(logits)
        if self._clean_logits is None:
            self._clean_logits = self.logits = logits
        better = enough & (length < _SHORTER * self.length)
        self.images = torch.where(better[:, None, None, None], images, self.images)
        self.logits = torch.where(better[:, None], logits, self.logits)
        self.length = torch.where(better, length, self.length)
        self.found = self.found | better
        self._nearness = nearness(length) - torch.where(enough, 0.0, BEHIND)
        self._score = torch.where(enough, -length, -torch.inf) if self._strict else self._nearness

    def _margin(self, logits: Tensor, problem: Problem | None = None) -> Tensor:
        """Return by how much each row exceeds the required margin, ``(N,)``."""
        problem = problem or self._problem
        margin = value("margin", logits, problem.labels, problem.targets)
        return margin - (rounding(logits) if self._strict else self._least_margin)


def _ranks(delta: Tensor) -> Tensor:
    """Return ranks ``(N, 1, H, W)``: 0 for the pixel that changed most, towards 1 for the one that changed least; 1 for unchanged ones."""
    sizes = delta.flatten(2).norm(dim=1)
    order = sizes.argsort(dim=1, descending=True, stable=True)
    places = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order))
    counts = (sizes > 0).sum(1, keepdim=True).clamp_min(1)
    share: Tensor = (places / counts).clamp_max(1).to(delta.dtype)
    return share.view(len(delta), 1, *delta.shape[2:])
