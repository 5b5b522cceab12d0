"""The best iterate of a single image on the CPU, compared by Python's numbers, since reading a value there waits for nothing."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from engine.best_iterate import BestIterate
from engine.operation import Attack, AttackStep, Problem
from engine.ranking import reached


@final
class SingleBest(BestIterate):
    """Keeper of the best iterate of one image. A comparison takes six small tensor operations instead of two dozen: its steps are short."""

    def __init__(self, operation: Attack, problem: Problem, clean_logits: Tensor | None) -> None:
        super().__init__(operation, problem, clean_logits)
        self._rank = (False, -math.inf)
        """Success and score of the best iterate."""
        self._flip = -1
        """Index of the first successful step, or -1."""
        self._met_nan = False

    @property
    def failed(self) -> Tensor:
        """Rows in which the attack met NaN, ``(1,)`` bool."""
        self._compare()
        return torch.tensor([self._met_nan])

    @property
    def steps_to_flip(self) -> Tensor:
        """Index of the first successful step, ``(1,)``; -1 where there was none."""
        self._compare()
        return torch.tensor([self._flip])

    def _take(self, steps: list[AttackStep]) -> None:
        loss = torch.stack([step.loss for step in steps])
        logits = torch.cat([step.logits for step in steps])  # type: ignore[misc]
        predictions = logits.argmax(1).tolist()
        broken, losses = logits.isnan().any(1).tolist(), loss[:, 0].tolist()
        scores = losses if self._ranks_by_loss(steps) else self._scores(steps, loss)[:, 0].tolist()
        label, target = int(self._problem.labels), self._problem.targets
        aim = None if target is None else int(target)
        best: AttackStep | None = steps[0] if self._images is None else None
        for step, prediction, nan, value, score in zip(steps, predictions, broken, losses, scores, strict=True):
            nan = nan or value != value
            success = not nan and reached(prediction, label, aim)
            rank = success and self._operation.keeps != "last", -math.inf if nan else score
            if rank > self._rank:
                self._rank, best = rank, step
            if success and self._flip < 0:
                self._flip = step.index
            self._met_nan = self._met_nan or nan
        self._trace.append(loss)
        self._count += len(steps)
        if best is not None:
            assert best.logits is not None
            self._images, self._loss, self._logits = best.adversarial, best.loss, best.logits
