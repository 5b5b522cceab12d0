"""Rows that run side by side for one image, as restarts and targets do, and the best of them."""

from __future__ import annotations

import torch

from engine.operation import AttackStep, Problem
from engine.ranking import best_of


def best_restart(step: AttackStep, problem: Problem) -> AttackStep:
    """Of the rows of each image, block after block in the batch, the one that succeeds with the largest loss."""
    assert step.logits is not None
    n = len(problem.images)
    if len(step.loss) == n:
        return step
    logits, loss = step.logits.reshape(-1, n, step.logits.shape[1]), step.loss.reshape(-1, n)
    # Row by row, and never a NaN: what happens in one image decides nothing in another.
    loss = loss.masked_fill(loss.isnan(), -torch.inf)
    success = problem.succeeds(logits) & (loss > -torch.inf)
    rows = best_of(success, loss) * n + torch.arange(n, device=loss.device)
    return AttackStep(step.index, step.total, step.adversarial[rows], step.loss[rows], step.logits[rows])
