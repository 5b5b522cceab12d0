"""Adam as element-wise tensor operations: rows are independent, and can be removed or restarted one by one."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.balls import column

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8
"""Constants of the paper (Kingma, Ba 2014, arXiv 1412.6980) and of the authors' code of the Carlini and Wagner attacks."""


class Adam:
    """Adam's moments of every row, with the number of steps since the row started.

    ``mean <- BETA1 * mean + (1 - BETA1) * gradient``, ``square <- BETA2 * square + (1 - BETA2) * gradient^2``, and the step is ``mean / (1
    - BETA1^count) / (sqrt(square / (1 - BETA2^count)) + tiny)``, to be multiplied by a step size and subtracted.

    Parameters
    ----------
    like
        The variable ``(N, C, H, W)`` to optimise.
    tiny
        Gradients smaller than this make smaller steps.
    """

    def __init__(self, like: Tensor, tiny: float = TINY) -> None:
        self._tiny = tiny
        self._mean, self._square = torch.zeros_like(like), torch.zeros_like(like)
        self.count = torch.zeros(len(like), device=like.device, dtype=like.dtype)

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the step for ``gradient`` ``(N, C, H, W)``: about 1 per value where the gradient keeps its sign."""
        mean, size = self.moments(gradient)
        return mean / size

    def moments(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the corrected ``mean`` and its divisor for ``gradient``. The next call overwrites the mean."""
        self.count += 1
        self._mean.lerp_(gradient, 1 - BETA1)
        self._square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        size = (self._square / column(1 - BETA2**self.count, gradient)).sqrt_().add_(self._tiny)
        return self._mean, size.mul_(column(1 - BETA1**self.count, gradient))

    def restart(self, rows: Tensor) -> None:
        """Reset the moments of the rows where ``rows`` ``(N,)`` is True."""
        where = rows.reshape(-1, *[1] * (self._mean.dim() - 1))
        self._mean.masked_fill_(where, 0)
        self._square.masked_fill_(where, 0)
        self.count.masked_fill_(rows, 0)

    def select(self, rows: Tensor) -> None:
        """Keep only the rows at these indices."""
        self._mean, self._square, self.count = self._mean[rows], self._square[rows], self.count[rows]
