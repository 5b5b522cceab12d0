"""The best iterate of every row of a batch, kept on the device without waiting for it."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from engine.best_iterate import BestIterate, joined
from engine.operation import Attack, AttackStep, Problem
from engine.ranking import best_of

_NEVER = 2**62


@final
class BatchBest(BestIterate):
    """Keeper of the best iterate of every row of a batch, which compares all rows at once, in tensors."""

    def __init__(self, operation: Attack, problem: Problem, clean_logits: Tensor | None) -> None:
        super().__init__(operation, problem, clean_logits)
        self._score: Tensor
        self._success: Tensor
        self._broken: list[Tensor] = []
        """Rows with NaN in each comparison, ``(T, N)`` bool."""
        self._first_success: Tensor | None = None

    @property
    def failed(self) -> Tensor:
        """Rows in which the attack met NaN, ``(N,)`` bool."""
        self._compare()
        return joined(self._broken).any(0)

    @property
    def steps_to_flip(self) -> Tensor:
        """Index of each row's first successful step, ``(N,)``; -1 where there was none."""
        self._compare()
        assert self._first_success is not None
        return self._first_success.masked_fill(self._first_success == _NEVER, -1)

    @torch.no_grad()
    def _take(self, steps: list[AttackStep]) -> None:
        loss = torch.stack([step.loss for step in steps])
        logits = torch.stack([step.logits for step in steps])  # type: ignore[misc]
        broken = loss.isnan() | logits.isnan().any(2)
        success = self._problem.reached(logits) & ~broken
        score = torch.where(broken, -torch.inf, self._scores(steps, loss))
        self._note(steps, loss, success, broken)
        images = [step.adversarial for step in steps]
        if self._images is not None:
            images = [self._images, *images]
            loss, logits = torch.cat([self._loss[None], loss]), torch.cat([self._logits[None], logits])
            success, score = torch.cat([self._success[None], success]), torch.cat([self._score[None], score])
        chosen = score.argmax(0) if self._operation.keeps == "last" else best_of(success, score)
        rows = torch.arange(len(chosen), device=chosen.device)
        self._images, self._logits = _chosen(images, chosen, rows), logits[chosen, rows]
        self._loss, self._success, self._score = (of.gather(0, chosen[None])[0] for of in (loss, success, score))

    def _note(self, steps: list[AttackStep], loss: Tensor, success: Tensor, broken: Tensor) -> None:
        self._trace.append(loss)
        self._broken.append(broken)
        self._count += len(steps)
        indices = torch.tensor([[step.index] for step in steps], device=loss.device)
        first = torch.where(success, indices, _NEVER).amin(0)
        self._first_success = first if self._first_success is None else torch.minimum(first, self._first_success)


def _chosen(images: list[Tensor], chosen: Tensor, rows: Tensor) -> Tensor:
    """Select for each row the image of the step with index ``chosen``."""
    if len(images) == 1:
        return images[0]
    if len(images) == 2:  # one pass over the images instead of two
        return torch.where((chosen == 1)[:, None, None, None], images[1], images[0])
    if chosen.device.type != "cpu":
        return torch.stack(images)[chosen, rows]
    places: list[int] = chosen.tolist()  # where reading costs no wait, only the rows that are chosen are copied
    if len(set(places)) == 1:
        return images[places[0]]
    return torch.stack([images[place][row] for row, place in enumerate(places)])
