"""Which images an attack still works on, and what stands for those that have dropped out."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from engine.operation import AttackStep, Problem


class Standing:
    """Images that hold out. Those that are fooled drop out of the batch, and every step shows them as they were then.

    Parameters
    ----------
    problem
        All images.
    first
        A step of all images, with its logits.
    """

    def __init__(self, problem: Problem, first: AttackStep) -> None:
        self._whole = self.problem = problem
        """``problem``: that of the images which hold out."""
        self.shown = first
        """The last step, of all images."""
        assert first.logits is not None
        self._fooled = problem.succeeds(first.logits)
        self._places: Tensor | None = None
        self.done = False
        """Whether no image holds out."""

    @torch.no_grad()
    def show(self, step: AttackStep) -> AttackStep:
        """A step of the images that hold out, as one of all images."""
        assert step.logits is not None
        success = self.problem.succeeds(step.logits)
        if self._places is None:
            self.shown, self._fooled = step, self._fooled | success
            return step
        self._fooled = self._fooled.index_put((self._places,), self._fooled[self._places] | success)
        before, places = self.shown, self._places
        assert before.logits is not None
        self.shown = replace(
            step,
            adversarial=before.adversarial.index_copy(0, places, step.adversarial),
            loss=before.loss.index_copy(0, places, step.loss),
            logits=before.logits.index_copy(0, places, step.logits),
        )
        return self.shown

    @torch.no_grad()
    def drop_fooled(self) -> Tensor | None:
        """Let go of the fooled images. Gives the indices, among those that held out until now, of the ones that still do; None: all do."""
        fooled = self._fooled if self._places is None else self._fooled[self._places]
        left = (~fooled).nonzero().flatten()
        if len(left) == len(fooled):
            return None
        self._places = left if self._places is None else self._places[left]
        self.done = not len(left)
        self.problem = self._whole.select(self._places)
        return left
