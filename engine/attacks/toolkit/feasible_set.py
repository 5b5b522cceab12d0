"""Where a perturbation may go: the ball, the pixels' range and the mask as one set, and rows that start side by side in it."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.toolkit.l1_in_box import free_to_follow, nearest_in_both, steepest_in_both
from engine.balls import L1, TINY, Ball, Linf, column
from engine.operation import AttackStep, Problem
from engine.ranking import best_of


class Reach:
    """``{delta : ||delta|| <= eps, 0 <= images + delta <= 1, delta = 0 outside the mask}``; the image is ``images + mask * delta``.

    Parameters
    ----------
    problem
        The images and the mask.
    ball
        The ball; None: only the range and the mask.
    one_by_one
        Project into the L1 ball first and into the range afterwards, which loses length: as before version 2 of the records.
    """

    def __init__(self, problem: Problem, ball: Ball | None, *, one_by_one: bool = False) -> None:
        self._problem, self._ball = problem, ball
        self._together = isinstance(ball, L1) and not one_by_one
        low, high = -problem.images, 1 - problem.images
        if isinstance(ball, Linf):  # a box in a box: both are one clamp
            eps = column(ball.eps, low)
            low, high = low.clamp_min(-eps), high.clamp_max(eps)
        if problem.mask is not None:
            inside = problem.mask > 0
            low, high = low * inside, high * inside
        self._low, self._high = low, high

    def clip(self, delta: Tensor) -> Tensor:
        """Into the ball, then into the range; in l1 the nearest point of both."""
        if self._together:
            assert self._ball is not None
            return nearest_in_both(delta, self._ball.eps, self._low, self._high)
        if self._ball is not None and not isinstance(self._ball, Linf):
            delta = self._ball.project(delta)
        return delta.clamp(self._low, self._high)

    def steepest(self, gradient: Tensor) -> Tensor:
        """``argmax_d <d, gradient>`` over the L1 ball in the range, for the gradient ``(N or 1, C, H, W)`` of the perturbation."""
        assert isinstance(self._ball, L1)
        return steepest_in_both(gradient.expand_as(self._low), self._ball.eps, self._low, self._high)

    def free(self, gradient: Tensor, delta: Tensor) -> Tensor:
        """The gradient of ``delta`` without the values that already are at the end it drives them to."""
        return free_to_follow(gradient, delta, self._low, self._high)

    def images(self, delta: Tensor) -> Tensor:
        """``images + mask * delta``: in [0, 1] for a clipped ``delta``, since ``x + (1 - x)`` is rounded to 1."""
        problem = self._problem
        return problem.images + (delta if problem.mask is None else problem.mask * delta)

    def sample(self) -> Tensor:
        """A random point of the ball, in the range; in l2 and l1 what falls outside the mask does not shorten it. Without a ball: zero."""
        problem, ball = self._problem, self._ball
        if ball is None:
            return torch.zeros_like(problem.images)
        delta = ball.sample(problem.random, problem.images)
        if problem.mask is not None and not isinstance(ball, Linf):
            inside = delta * (problem.mask > 0)
            delta = inside * column(ball.size(delta) / ball.size(inside).clamp_min(TINY), delta)
        return self.clip(delta)


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
