"""The feasible set of an adversarial image: ball, pixel range and mask together."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from engine.attacks.toolkit.box import Box
from engine.attacks.toolkit.l1_in_box import free_to_follow, nearest_in_both, steepest_in_both
from engine.balls import L1, TINY, Ball, Linf, column
from engine.operation import Problem


class FeasibleSet:
    """The set ``{delta : ||delta|| <= eps, 0 <= images + delta <= 1, delta = 0 outside the mask}``, for ``images + mask * delta``.

    Attacks that move a perturbation work with ``delta``: `project` it, take its `images`, `sample` a start. Attacks that move the image
    itself, and have no ball or one that is a box, use the same set as a `box` of images. The two differ for a mask between 0 and 1:
    ``delta`` alone stays in the range, so the image moves at most the share ``mask`` of the way to 0 or 1, while the box allows every value
    to move by ``mask``.

    Parameters
    ----------
    problem
        The images and the mask.
    ball
        The ball of the perturbation; None: only the range and the mask.
    one_by_one
        Project into the L1 ball first and into the range afterwards, which loses length: as before version 2 of the records.
    """

    def __init__(self, problem: Problem, ball: Ball | None = None, *, one_by_one: bool = False) -> None:
        self._problem, self._ball = problem, ball
        self._together = isinstance(ball, L1) and not one_by_one

    @cached_property
    def box(self) -> Box:
        """The range of every value of the image, for attacks that move the image itself. Among the balls only linf narrows it."""
        images, ball = self._problem.images, self._ball
        return Box.around(images, self._problem.mask, column(ball.eps, images) if isinstance(ball, Linf) else None)

    @cached_property
    def _room(self) -> tuple[Tensor, Tensor]:
        """Ranges down (at most 0) and up (at least 0) for every value of ``delta``."""
        problem, ball = self._problem, self._ball
        low, high = -problem.images, 1 - problem.images
        if isinstance(ball, Linf):  # the intersection of two boxes is one clamp
            eps = column(ball.eps, low)
            low, high = low.clamp_min(-eps), high.clamp_max(eps)
        if problem.mask is not None:
            inside = problem.mask > 0
            low, high = low * inside, high * inside
        return low, high

    def project(self, delta: Tensor) -> Tensor:
        """Project ``delta`` into the ball, then into the range; in l1 to the nearest point of both."""
        if self._together:
            assert self._ball is not None
            return nearest_in_both(delta, self._ball.eps, *self._room)
        if self._ball is not None and not isinstance(self._ball, Linf):
            delta = self._ball.project(delta)
        return delta.clamp(*self._room)

    def follow(self, delta: Tensor, along: Tensor, length: float | Tensor) -> Tensor:
        """Return ``project(delta + length * along)`` with one length or one for each row, ``(N,)``.

        It may overwrite ``delta``, which must belong to the caller and to no step: for a hundred small images each new tensor costs as much
        as the arithmetic of a step.
        """
        moved = delta.add_(along * column(length, along)) if isinstance(length, Tensor) else delta.add_(along, alpha=length)
        return moved.clamp_(*self._room) if isinstance(self._ball, Linf) or self._ball is None else self.project(moved)

    def steepest(self, gradient: Tensor) -> Tensor:
        """Return ``argmax_d <d, gradient>`` over the L1 ball in the range, for the perturbation's gradient ``(N or 1, C, H, W)``."""
        assert isinstance(self._ball, L1)
        return steepest_in_both(gradient.expand_as(self._problem.images), self._ball.eps, *self._room)

    def free(self, gradient: Tensor, delta: Tensor) -> Tensor:
        """Return the gradient with zeros at values of ``delta`` that are already at the end it points to."""
        return free_to_follow(gradient, delta, *self._room)

    def images(self, delta: Tensor) -> Tensor:
        """Return ``images + mask * delta``, which is in [0, 1] for a projected ``delta``, since ``x + (1 - x)`` is rounded to 1."""
        problem = self._problem
        return problem.images + (delta if problem.mask is None else problem.mask * delta)

    def sample(self) -> Tensor:
        """Draw a random point of the ball within the range; in l2 and l1 only values inside the mask use its length.

        Without a ball: zero.
        """
        problem, ball = self._problem, self._ball
        if ball is None:
            return torch.zeros_like(problem.images)
        delta = ball.sample(problem.random, problem.images)
        if problem.mask is not None and not isinstance(ball, Linf):
            inside = delta * (problem.mask > 0)
            delta = inside * column(ball.size(delta) / ball.size(inside).clamp_min(TINY), delta)
        return self.project(delta)
