"""What Auto-PGD remembers of every row in L1: where it is, its best point, its step size, and over how many values a step goes."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.l1_in_box import over_its_count
from engine.balls import column

_FIRST_SHARE = 0.2
"""Of all values: as many as the first steps go over."""
_SPARSER = 1.5
"""A step goes over so many times fewer values than the best point has changed; a step size is reduced by as much."""
_SMALLEST = 10.0
"""The smallest step size is this part of the largest."""
_SAME = 0.95
"""Of the values that the best point had changed: with fewer than so many it counts as sparser."""


class SparseProgress:
    """The rows' state in L1, with the constants of the authors' code. Every decision is a mask, so that nothing waits for the device.

    Parameters
    ----------
    delta
        ``(rows, C, H, W)``: where the rows begin.
    step
        The first and largest step size, in pixel units.
    inside
        ``(rows or 1, C, H, W)`` bool: the values that may change.
    """

    def __init__(self, delta: Tensor, step: float, inside: Tensor) -> None:
        self.delta = delta
        self._inside = inside.flatten(1)
        self._largest = step
        self._step = delta.new_full((len(delta),), step)
        self._values = self._inside.sum(1).to(delta.dtype).expand(len(delta))
        self._share = torch.full_like(self._step, _FIRST_SHARE)
        self._changed = self._values
        self._gradient: Tensor
        self._best: Tensor | None = None
        self._best_delta: Tensor
        self._best_gradient: Tensor

    @torch.no_grad()
    def note(self, loss: Tensor, gradient: Tensor) -> None:
        """Take over what the last move has led to."""
        if self._best is None:
            self._best, self._best_delta, self._best_gradient = loss, self.delta, gradient
        else:
            better = loss > self._best
            pixels = better[:, None, None, None]
            self._best = torch.where(better, loss, self._best)
            self._best_delta = torch.where(pixels, self.delta, self._best_delta)
            self._best_gradient = torch.where(pixels, gradient, self._best_gradient)
        self._gradient = gradient

    @torch.no_grad()
    def check(self, rho: float) -> None:
        """At a checkpoint a row whose best point has become sparser goes back to it with the largest step; others take smaller steps.

        ``rho`` has no meaning here.
        """
        changed = (self._best_delta != 0).flatten(1).sum(1).to(self._step.dtype)
        sparser = changed < _SAME * self._changed
        self._share = changed / self._values.clamp_min(1) / _SPARSER
        reduced = (self._step / _SPARSER).clamp_min(self._largest / _SMALLEST)
        self._step = torch.where(sparser, torch.full_like(reduced, self._largest), reduced)
        self._changed = changed
        pixels = sparser[:, None, None, None]
        self.delta = torch.where(pixels, self._best_delta, self.delta)
        self._gradient = torch.where(pixels, self._best_gradient, self._gradient)

    @torch.no_grad()
    def move(self, feasible: FeasibleSet, ball: object) -> None:
        """A step by the sign of the largest gradients, and to the nearest point of the ball within [0, 1].

        Values that are at the end of their range already are left out, which the authors' code does not do: it fools one or two more of a
        hundred digits.
        """
        flat = feasible.free(self._gradient, self.delta).flatten(1)
        sizes = flat.abs().masked_fill(~self._inside, -1.0)
        count = self._values - ((1 - self._share) * self._values).floor()
        count = count.minimum(self._values).clamp_min(1).long()[:, None]
        least = sizes.sort(dim=1, descending=True).values.gather(1, count - 1)
        along = over_its_count(flat.sign() * (sizes >= least)).view_as(self.delta)
        self.delta = feasible.project(self.delta + column(self._step, along) * along)

    def select(self, images: Tensor, blocks: int) -> None:
        """Go on with the rows of these images (indices) in every block alone."""

        def left(tensor: Tensor) -> Tensor:
            return tensor.reshape(blocks, -1, *tensor.shape[1:])[:, images].flatten(0, 1)

        assert self._best is not None
        self.delta, self._gradient, self._best = left(self.delta), left(self._gradient), left(self._best)
        self._best_delta, self._best_gradient = left(self._best_delta), left(self._best_gradient)
        self._step, self._share, self._changed, self._values = map(left, (self._step, self._share, self._changed, self._values))
        if len(self._inside) > 1:
            self._inside = left(self._inside)
