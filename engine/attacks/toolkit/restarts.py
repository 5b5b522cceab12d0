"""Rows of one image that are attacked together, such as restarts and targets, and the best of them."""

from __future__ import annotations

import torch

from engine.operation import AttackStep, Problem
from engine.ranking import best_of


def best_restart(step: AttackStep, problem: Problem) -> AttackStep:
    """Select for each image, among its rows in the blocks of the batch, the successful one with the largest loss."""
    assert step.logits is not None
    n = len(problem.images)
    if len(step.loss) == n:
        return step
    logits, loss = step.logits.reshape(-1, n, step.logits.shape[1]), step.loss.reshape(-1, n)
    # Each row is compared on its own, and NaN is replaced, so that no image affects another.
    loss = loss.masked_fill(loss.isnan(), -torch.inf)
    success = problem.succeeds(logits) & (loss > -torch.inf)
    rows = best_of(success, loss) * n + torch.arange(n, device=loss.device)
    return AttackStep(step.index, step.total, step.adversarial[rows], step.loss[rows], step.logits[rows])
