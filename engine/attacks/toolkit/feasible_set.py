"""Where an adversarial image may be: the ball, the pixels' range and the mask as one set."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from engine.attacks.toolkit.box import Box
from engine.attacks.toolkit.l1_in_box import free_to_follow, nearest_in_both, steepest_in_both
from engine.balls import L1, TINY, Ball, Linf, column
from engine.operation import Problem


class FeasibleSet:
    """``{delta : ||delta|| <= eps, 0 <= images + delta <= 1, delta = 0 outside the mask}``; the image is ``images + mask * delta``.

    Attacks that move a perturbation work with ``delta``: `project` it, take its `images`, `sample` a start. Attacks that move the image
    itself, and have no ball or one that is a box, work with the same set as a `box` of images. A mask between 0 and 1 is where the two
    differ: ``delta`` stays in the range by itself, so the image goes at most ``mask`` of the way to 0 or 1, while the box lets every value
    go ``mask`` up or down.

    Parameters
    ----------
    problem
        The images and the mask.
    ball
        The ball; None: only the range and the mask.
    one_by_one
        Project into the L1 ball first and into the range afterwards, which loses length: as before version 2 of the records.
    """

    def __init__(self, problem: Problem, ball: Ball | None = None, *, one_by_one: bool = False) -> None:
        self._problem, self._ball = problem, ball
        self._together = isinstance(ball, L1) and not one_by_one

    @cached_property
    def box(self) -> Box:
        """Where every value of the image may be, for attacks that move the image itself. Of the balls, only linf makes it smaller."""
        images, ball = self._problem.images, self._ball
        return Box.around(images, self._problem.mask, column(ball.eps, images) if isinstance(ball, Linf) else None)

    @cached_property
    def _room(self) -> tuple[Tensor, Tensor]:
        """How far down and up every value of ``delta`` can go: at most 0, and at least 0."""
        problem, ball = self._problem, self._ball
        low, high = -problem.images, 1 - problem.images
        if isinstance(ball, Linf):  # a box in a box: both are one clamp
            eps = column(ball.eps, low)
            low, high = low.clamp_min(-eps), high.clamp_max(eps)
        if problem.mask is not None:
            inside = problem.mask > 0
            low, high = low * inside, high * inside
        return low, high

    def project(self, delta: Tensor) -> Tensor:
        """``delta`` into the ball, then into the range; in l1 the nearest point of both."""
        if self._together:
            assert self._ball is not None
            return nearest_in_both(delta, self._ball.eps, *self._room)
        if self._ball is not None and not isinstance(self._ball, Linf):
            delta = self._ball.project(delta)
        return delta.clamp(*self._room)

    def follow(self, delta: Tensor, along: Tensor, length: float) -> Tensor:
        """``project(delta + length * along)``. ``delta`` may be written over: it must be the caller's own, and never part of a step.

        A step of a hundred small images costs as much for each new tensor as for the arithmetic in it.
        """
        moved = delta.add_(along, alpha=length)
        return moved.clamp_(*self._room) if isinstance(self._ball, Linf) or self._ball is None else self.project(moved)

    def steepest(self, gradient: Tensor) -> Tensor:
        """``argmax_d <d, gradient>`` over the L1 ball in the range, for the gradient ``(N or 1, C, H, W)`` of the perturbation."""
        assert isinstance(self._ball, L1)
        return steepest_in_both(gradient.expand_as(self._problem.images), self._ball.eps, *self._room)

    def free(self, gradient: Tensor, delta: Tensor) -> Tensor:
        """The gradient of ``delta`` without the values that already are at the end it drives them to."""
        return free_to_follow(gradient, delta, *self._room)

    def images(self, delta: Tensor) -> Tensor:
        """``images + mask * delta``: in [0, 1] for a projected ``delta``, since ``x + (1 - x)`` is rounded to 1."""
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
        return self.project(delta)
