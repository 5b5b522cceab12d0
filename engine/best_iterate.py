"""The best iterate of every row so far: when steps are compared, and what is known of the best."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from engine.operation import Attack, AttackStep, Problem

_MOST_STEPS = 16
_MOST_ELEMENTS = 2**22
"""Elements of the images that wait for the next comparison, at most: 16 MB in float32."""


class BestIterate(ABC):
    """Keeper of the best iterate of every row. How iterates are compared is up to the subclass.

    Comparing after every step would cost a few images of a small network a quarter of their time, all of it overhead of two dozen tiny
    operations. Steps are frozen, so they can wait: several are compared at once, whenever enough have gathered or a property is read.
    """

    def __init__(self, operation: Attack, problem: Problem, clean_logits: Tensor | None) -> None:
        self._operation, self._problem = operation, problem
        self.clean_logits = clean_logits
        self._waiting: list[AttackStep] = []
        self._seen: tuple[Tensor, Tensor] | None = None
        """Images and logits of the last step."""
        self._count = 0
        self._trace: list[Tensor] = []
        """Losses of each comparison, ``(T, N)``."""
        self._numbers: list[int] = []
        """Number of each step that was compared; some attacks leave numbers out."""
        self._images: Tensor | None = None
        self._logits: Tensor
        self._loss: Tensor

    def keep(self, step: AttackStep) -> None:
        """Take a step into account. The classifier is queried where the step brings no logits."""
        logits = step.logits
        if logits is None and self._seen is not None and self._seen[0] is step.adversarial:
            logits = self._seen[1]  # the iterate is unchanged since the last step, so its logits are known
        if logits is None:
            logits = self._problem.classifier.verdict(step.adversarial)
        self._seen = step.adversarial, logits
        if step.adversarial is self._problem.images:
            self.clean_logits = logits.detach()
        if logits is not step.logits or logits.requires_grad or step.loss.requires_grad or step.adversarial.requires_grad:
            step = replace(step, adversarial=step.adversarial.detach(), loss=step.loss.detach(), logits=logits.detach())
        self._waiting.append(step)
        if len(self._waiting) >= _MOST_STEPS or len(self._waiting) * step.adversarial.numel() > _MOST_ELEMENTS:
            self._compare()

    @property
    def newest_logits(self) -> Tensor:
        """Logits ``(N, K)`` of the newest step."""
        assert self._seen is not None
        return self._seen[1]

    @property
    def images(self) -> Tensor:
        """The best images so far, ``(N, C, H, W)``."""
        self._compare()
        assert self._images is not None
        return self._images

    @property
    def logits(self) -> Tensor:
        """Logits of the best images, ``(N, K)``."""
        self._compare()
        return self._logits

    @property
    def loss(self) -> Tensor:
        """Losses of the best images, ``(N,)``."""
        self._compare()
        return self._loss

    @property
    @abstractmethod
    def failed(self) -> Tensor:
        """Rows in which the attack met NaN, ``(N,)`` bool."""

    @property
    @abstractmethod
    def steps_to_flip(self) -> Tensor:
        """Index of each row's first successful step, ``(N,)``; -1 where there was none."""

    @property
    def trace(self) -> Tensor:
        """The loss of every step, ``(T, N)``."""
        self._compare()
        return joined(self._trace)

    @property
    def trace_steps(self) -> Tensor:
        """The number of every step, ``(T, N)``."""
        trace = self.trace
        return torch.tensor(self._numbers)[:, None].expand(trace.shape)

    def outcome(self) -> dict[str, Any]:
        """Return the fields of `ChunkedSteps.outcome` for a batch of a single chunk."""
        failed = self.failed
        return {
            "adversarial": self.images,
            "logits": self._logits,
            "loss": self._loss,
            "steps_to_flip": self.steps_to_flip,
            "failed": failed,
            "trace": self.trace,
            "trace_steps": self.trace_steps,
            "attacked": torch.ones_like(failed),
            "first_logits": self.clean_logits,
        }

    def step(self, last: AttackStep) -> AttackStep:
        """Return ``last`` with the best rows in place of its own."""
        return replace(last, adversarial=self.images, loss=self.loss, logits=self.logits)

    def _compare(self) -> None:
        if self._waiting:
            steps, self._waiting = self._waiting, []
            self._numbers += [step.index for step in steps]
            self._take(steps)

    def _scores(self, steps: list[AttackStep], loss: Tensor) -> Tensor:
        keeps = self._operation.keeps
        if keeps == "last":
            places = torch.arange(self._count, self._count + len(steps), device=loss.device, dtype=loss.dtype)
            return places[:, None].expand_as(loss)
        if self._ranks_by_loss(steps):
            return loss
        scores = torch.stack([self._score_of(step) for step in steps])
        return scores.masked_fill(scores.isnan(), -torch.inf)  # NaN would be the largest

    def _ranks_by_loss(self, steps: list[AttackStep]) -> bool:
        return self._operation.keeps == "loss" and all(step.score is None for step in steps)

    def _score_of(self, step: AttackStep) -> Tensor:
        if step.score is not None:
            return step.score.detach()
        if self._operation.keeps == "loss":
            return step.loss
        return -self._operation.distance(step.adversarial - self._problem.images)

    @abstractmethod
    def _take(self, steps: list[AttackStep]) -> None:
        """Compare these steps, of which there is at least one, with the best so far."""


def joined(parts: list[Tensor]) -> Tensor:
    """Concatenate what belongs to several comparisons."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
