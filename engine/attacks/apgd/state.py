"""State of Auto-PGD's rows: iterate and its predecessor, best point, step size, and progress since the last checkpoint."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.balls import Ball, column

_MOMENTUM = 0.75
"""Weight of the new step; the rest is that of the last one."""


class Progress:
    """State of all rows. Every decision is a mask, so that nothing waits for the device.

    Parameters
    ----------
    delta
        Starting points of the rows, ``(rows, C, H, W)``.
    step
        The first step size in pixel units, or one for each row, ``(rows,)``.
    """

    def __init__(self, delta: Tensor, step: float | Tensor) -> None:
        self.delta = self._previous = delta
        self._step = torch.zeros_like(delta[:, :1, :1, :1]) + column(step, delta)
        self._moves = 0
        self._since = 0
        self._rises: Tensor | None = None
        """Number of moves since the last checkpoint that increased the loss, ``(rows,)``."""
        self._loss: Tensor
        self._gradient: Tensor

    @torch.no_grad()
    def note(self, loss: Tensor, gradient: Tensor) -> None:
        """Record loss and gradient at the newest point."""
        if self._rises is None:
            self._best, self._best_delta, self._best_gradient = loss, self.delta, gradient
            self._best_before, self._halved = loss, torch.zeros_like(loss, dtype=torch.bool)
            self._rises = torch.zeros_like(loss)
        else:
            self._since += 1
            self._rises = self._rises + (loss > self._loss)
            better = loss > self._best
            pixels = better[:, None, None, None]
            self._best = torch.where(better, loss, self._best)
            self._best_delta = torch.where(pixels, self.delta, self._best_delta)
            self._best_gradient = torch.where(pixels, gradient, self._best_gradient)
        self._loss, self._gradient = loss, gradient

    @torch.no_grad()
    def check(self, rho: float) -> None:
        """Run a checkpoint: halve the step and return to the best point where progress stops."""
        assert self._rises is not None
        stuck = ~self._halved & (self._best <= self._best_before)
        self._halved = (self._rises < rho * self._since) | stuck
        pixels = self._halved[:, None, None, None]
        self._step = torch.where(pixels, self._step / 2, self._step)
        self.delta = torch.where(pixels, self._best_delta, self.delta)
        self._gradient = torch.where(pixels, self._best_gradient, self._gradient)
        self._loss = torch.where(self._halved, self._best, self._loss)
        self._best_before, self._rises, self._since = self._best, torch.zeros_like(self._rises), 0

    @torch.no_grad()
    def move(self, feasible: FeasibleSet, ball: Ball) -> None:
        """Take the step of the paper; the first one has no momentum."""
        target = feasible.project(self.delta + self._step * ball.steepest(self._gradient))
        if self._moves:
            target = feasible.project(self.delta + _MOMENTUM * (target - self.delta) + (1 - _MOMENTUM) * (self.delta - self._previous))
        self._previous, self.delta = self.delta, target
        self._moves += 1

    def select(self, images: Tensor, blocks: int) -> None:
        """Keep only the rows of these images (indices) in every block."""

        def left(tensor: Tensor) -> Tensor:
            return tensor.reshape(blocks, -1, *tensor.shape[1:])[:, images].flatten(0, 1)

        assert self._rises is not None
        self.delta, self._previous, self._gradient = left(self.delta), left(self._previous), left(self._gradient)
        self._best_delta, self._best_gradient = left(self._best_delta), left(self._best_gradient)
        self._step, self._rises, self._halved = left(self._step), left(self._rises), left(self._halved)
        self._loss, self._best, self._best_before = left(self._loss), left(self._best), left(self._best_before)
