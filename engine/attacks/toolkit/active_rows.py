"""The active rows of a batch, which an attack still works on, beside the last iterate of every row."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from engine.operation import AttackStep, Problem

S = TypeVar("S", bound=AttackStep)


class ActiveRows:
    """The active rows of a batch. Rows that are solved or given up leave it, and every later step shows their last iterate.

    Parameters
    ----------
    problem
        The problem of all rows, which are all active at first.
    """

    def __init__(self, problem: Problem) -> None:
        self._whole = self.problem = problem
        """The problem of all rows; ``problem`` is that of the active ones."""
        self.rows = torch.arange(len(problem.images), device=problem.images.device)
        """Indices of the active rows in the whole batch, ``(n,)``, ascending."""

    def __len__(self) -> int:
        """Return the number of active rows."""
        return len(self.rows)

    def work_on(self, rows: Tensor) -> None:
        """Make these rows of the whole batch (indices, ascending) the active ones."""
        self.rows = rows
        self.problem = self._whole if len(rows) == len(self._whole.images) else self._whole.select(rows)

    def keep(self, left: Tensor) -> None:
        """Keep only these of the active rows (indices among them, ascending)."""
        self.work_on(self.rows[left])

    def drop(self, gone: Tensor) -> Tensor | None:
        """Drop the active rows where ``gone`` ``(n,)`` is True. This waits for the device.

        Returns
        -------
        Tensor or None
            Indices of the remaining rows among the previously active ones; None: all remain.
        """
        left = (~gone).nonzero().flatten()
        if len(left) == len(gone):
            return None
        self.keep(left)
        return left

    @torch.no_grad()
    def filled(self, whole: Tensor, part: Tensor) -> Tensor:
        """Return ``whole`` ``(N, ...)`` with ``part`` ``(n, ...)`` at the active rows; a new tensor, or ``part`` where all are active."""
        return part if len(part) == len(whole) else whole.index_copy(0, self.rows, part)

    def spread(self, step: S, before: AttackStep) -> S:
        """Extend a step of the active rows to all rows, with the others taken from ``before``. Both steps have their logits."""
        if len(step.loss) == len(before.loss):
            return step
        assert step.logits is not None
        assert before.logits is not None
        return replace(
            step,
            adversarial=self.filled(before.adversarial, step.adversarial),
            loss=self.filled(before.loss, step.loss),
            logits=self.filled(before.logits, step.logits),
        )
