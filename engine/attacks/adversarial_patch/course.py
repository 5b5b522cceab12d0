"""The course of a run: its steps pass by pass, the best iterate, and its judgement on fresh transformations."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.attacks.toolkit.expectation import Expected, Passes, expected
from engine.attacks.toolkit.losses import LossName, value
from engine.attacks.toolkit.survival import Survival, passes_of, survival
from engine.operation import AttackStep, Problem
from engine.ranking import beats
from engine.stickers.transforms import Transforms


@dataclass(frozen=True, eq=False)
class PatchStep(AttackStep):
    """A step with the outcome of fresh transformations, once it is known."""

    survival: Survival | None = field(default=None, kw_only=True)


class Course:
    """Steps of one run, numbered pass by pass, with the best iterate so far."""

    def __init__(self, problem: Problem, steps: int, samples: int, fresh: int, *, ends_with_best: bool = False) -> None:
        self._problem, self._steps = problem, steps
        self._passes = Passes.of(problem.images, samples).count
        judging = passes_of(problem.images, fresh) if fresh and samples else int(ends_with_best)
        self._index, self._number, self._total = -1, -1, (steps + 1) * self._passes - 1 + judging
        self._newest: PatchStep | None = None
        self._best: PatchStep | None = None
        self._succeeds: Tensor

    def look(self, images: Tensor, drawn: Transforms | None, loss: LossName, *, last: bool) -> Generator[PatchStep, None, Expected]:
        """Return loss, gradient and success of an iterate; between two passes the one before it is yielded again."""
        self._number += 1
        looking = expected(self._problem, images, drawn, loss, gradient=not last)
        while True:
            try:
                next(looking)
            except StopIteration as end:
                seen: Expected = end.value
                return seen
            yield self._again(images, loss)

    def step(self, images: Tensor, seen: Expected) -> PatchStep:
        """Return the step of an iterate that has been looked at, and keep the better iterate of each row."""
        readings = {"success rate under transformations": seen.success.mean()}
        self._index += 1
        self._newest = PatchStep(self._index, self._total, images, seen.loss, seen.logits, readings=readings, news=self._news)
        self._keep(self._newest)
        return self._newest

    def forget(self) -> None:
        """Forget the best iterate: what follows has another mask."""
        self._best = None

    def best(self) -> PatchStep:
        """Return the best iterate as the next step."""
        assert self._best is not None
        self._index += 1
        return replace(self._best, index=self._index)

    def judge(self, drawn: Transforms) -> Iterator[PatchStep]:
        """Yield the best iterate while fresh transformations are tried; the last step has their outcome."""
        best = self._best
        assert best is not None
        judging = survival(self._problem, best.adversarial, drawn)
        while True:
            self._index += 1
            try:
                next(judging)
            except StopIteration as end:
                found: Survival = end.value
                readings = {"success rate under transformations": found.success.to(best.loss.dtype).mean()}
                yield replace(best, index=self._index, survival=found, readings=readings, news="")
                return
            yield replace(best, index=self._index, news="judging it on fresh transformations")

    @property
    def _news(self) -> str:
        return f"step {self._number} of {self._steps}" if self._passes > 1 else ""

    def _again(self, images: Tensor, loss: LossName) -> PatchStep:
        """Return the newest iterate once more; while there is none, the first images with a loss of their own."""
        self._index += 1
        if self._newest is None:
            logits = self._problem.classifier.verdict(images)
            alone = value(loss, logits, self._problem.labels, self._problem.targets)
            self._newest = PatchStep(self._index, self._total, images, alone, logits)
            self._keep(self._newest)
        return replace(self._newest, index=self._index, news=self._news)

    def _keep(self, step: PatchStep) -> None:
        assert step.logits is not None
        succeeds, loss = self._problem.succeeds(step.logits), step.loss.masked_fill(step.loss.isnan(), -torch.inf)
        if self._best is None or self._best.logits is None:
            self._best, self._succeeds = step, succeeds
            return
        better = beats(succeeds, loss, self._succeeds, self._best.loss)
        pixels = better[:, None, None, None]
        self._best = replace(
            self._best,
            total=step.total,
            adversarial=torch.where(pixels, step.adversarial, self._best.adversarial),
            loss=torch.where(better, step.loss, self._best.loss),
            logits=torch.where(better[:, None], step.logits, self._best.logits),
        )
        self._succeeds = torch.where(better, succeeds, self._succeeds)
