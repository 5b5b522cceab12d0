"""The shortest image on the 8-bit lattice, along the line of a perturbation, that is still adversarial."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from engine.attacks.minimal.boundary import BEHIND, Nearest, nearness
from engine.attacks.minimal.shortest_step import bounds
from engine.balls import column
from engine.images import lattice
from engine.operation import Problem

_OVERSHOOTS = (0.0, *(0.02 * 1.5**k for k in range(14)))
"""How far past the float solution the rounded images are tried, of its length: up to four times as far."""
_REFINEMENTS = 4
MOST_TRIES = len(_OVERSHOOTS) + _REFINEMENTS
_SLACK = 1e-3
"""Of a grey level: a bound this close to the lattice counts as on it."""


class Rounding:
    """Lengthens perturbations until their rounded image is adversarial, then halves what that took.

    Parameters
    ----------
    problem
        All images.
    nearest
        What was found; other rows are left alone.
    distance
        Perturbations ``(N, C, H, W)`` to lengths ``(N,)``.
    """

    def __init__(self, problem: Problem, nearest: Nearest, distance: Callable[[Tensor], Tensor]) -> None:
        self._problem, self._nearest, self._distance = problem, nearest, distance
        self._ray = nearest.images - problem.images
        low, high = bounds(problem)
        self._low, self._high = (low * 255 - _SLACK).ceil() / 255, (high * 255 + _SLACK).floor() / 255

    @torch.no_grad()
    def tries(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Images, their logits and their scores; rows leave when their overshoot is found."""
        nearest, ladder = self._nearest, torch.tensor(_OVERSHOOTS).to(self._ray)
        low, high = torch.zeros_like(nearest.length), torch.full_like(nearest.length, torch.nan)
        rung = torch.zeros_like(low, dtype=torch.int64)
        left = torch.full_like(rung, _REFINEMENTS)
        for _ in range(MOST_TRIES):
            known = ~high.isnan()
            rows = (nearest.found & torch.where(known, left > 0, rung < len(ladder))).nonzero().flatten()
            if not len(rows):
                return
            overshoot = torch.where(known, (low + high) / 2, ladder[rung.clamp_max(len(ladder) - 1)])
            tried, logits, survives = self._try(overshoot[rows], rows)
            part_score = nearness(self._distance(tried - self._problem.images[rows])) - torch.where(survives, 0.0, 2 * BEHIND)
            tested = torch.zeros_like(known).index_fill(0, rows, True)
            success = torch.zeros_like(known).index_put((rows,), survives)
            left = torch.where(tested & known, left - 1, left)
            left = torch.where(success & (overshoot == 0), 0, left)
            rung = torch.where(tested & ~known, rung + 1, rung)
            high, low = torch.where(success, overshoot, high), torch.where(tested & ~success, overshoot, low)
            score = torch.full_like(low, -2 * BEHIND).index_put((rows,), part_score)
            yield nearest.images.index_copy(0, rows, tried), nearest.logits.index_copy(0, rows, logits), score

    def _try(self, overshoot: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        part = self._problem.select(rows)
        ray, low, high = self._ray[rows], self._low[rows], self._high[rows]
        images = lattice((part.images + column(1 + overshoot, ray) * ray).clamp(0, 1))
        images = images.clamp_min(low).clamp_max(high)
        # What the attack left alone keeps its bits, and so does what a soft mask holds between two grey levels.
        images = torch.where((ray != 0) & (low <= high), images, part.images)
        logits = part.classifier.verdict(images)
        survives = self._nearest.enough(logits, part)
        file = lattice(images)
        if not torch.equal(file, images):  # the clean image is off the lattice: a file would round that, too
            survives = survives & self._nearest.enough(part.classifier.verdict(file), part)
        return images, logits, survives
