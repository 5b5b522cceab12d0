"""State of Auto-PGD's rows in L1: iterate, best point, step size, and the number of values in a step."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.l1_in_box import over_its_count
from engine.balls import column

_FIRST_SHARE = 0.2
"""Share of all values that the first steps move."""
_SPARSER = 1.5
"""Factor between the values that the best point has changed and those of a step, and between two step sizes."""
_SMALLEST = 10.0
"""Ratio of the largest to the smallest step size."""
_SAME = 0.95
"""Ratio of changed values, between two best points, below which the newer one counts as sparser."""


class SparseProgress:
    """The rows' state in L1, with the constants of the authors' code. Every decision is a mask, so that nothing waits for the device.

    Parameters
    ----------
    delta
        Starting points of the rows, ``(rows, C, H, W)``.
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
        """Record loss and gradient at the newest point."""
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
        """Run a checkpoint: rows whose best point is sparser return to it with the largest step; others reduce theirs.

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
        """Step by the sign of the largest gradients, then to the nearest point of the ball within [0, 1].

        Values that are already at the end of their range are left out. The authors' code does not do this; it fools one or two more of a
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
        """Keep only the rows of these images (indices) in every block."""

        def left(tensor: Tensor) -> Tensor:
            return tensor.reshape(blocks, -1, *tensor.shape[1:])[:, images].flatten(0, 1)

        assert self._best is not None
        self.delta, self._gradient, self._best = left(self.delta), left(self._gradient), left(self._best)
        self._best_delta, self._best_gradient = left(self._best_delta), left(self._best_gradient)
        self._step, self._share, self._changed, self._values = map(left, (self._step, self._share, self._changed, self._values))
        if len(self._inside) > 1:
            self._inside = left(self._inside)
