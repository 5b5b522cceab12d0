"""What the minimal-norm attacks share: the boundary search that ends them, and the result that survives 8 bits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from engine.balls import column
from engine.images import lattice
from engine.operation import Attack, AttackStep, Problem

_BEHIND = -1e9
"""Added to the score of images that may not survive rounding: any that does comes before them."""
_OVERSHOOTS = (0.0, *(0.02 * 1.5**k for k in range(14)))
"""How far past the float solution the rounded images are tried, of its length: up to four times as far."""
_REFINEMENTS = 4


class MinimalNorm(Attack, ABC):
    """An attack that looks for the nearest adversarial image instead of the worst one in a ball.

    ``search`` is the paper's loop. After it, what every such attack can gain at the price of forward passes alone: ``boundary_steps``
    halvings of the segment from the clean image to the nearest adversarial one found, ``images + t * (nearest - images)``, and with
    ``eight_bit`` the shortest image on the 8-bit lattice along that line which is still adversarial.
    """

    keeps: ClassVar[Literal["loss", "norm", "last"]] = "norm"

    boundary_steps: int = Field(10, ge=0, le=60, json_schema_extra={"group": "Result"})
    """Halvings of the segment from the clean image to the adversarial one at the end: one forward pass each, and the boundary is met to
    2^-steps of its length."""
    eight_bit: bool = Field(False, json_schema_extra={"group": "Result"})
    """Keep the result adversarial after rounding to 8 bits, as a PNG file holds it: the perturbation is lengthened until its rounded image
    succeeds, then shortened as far as that lasts."""

    @abstractmethod
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """The loop of the paper; the first step is the clean image. Hand the logits over where they are known."""

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """``search``, then the boundary search, then the search on the 8-bit lattice."""
        closest = _Closest(problem, self.distance)
        extra = self.boundary_steps + (len(_OVERSHOOTS) + _REFINEMENTS if self.eight_bit else 0)
        index = -1
        for step in self.search(problem):
            step = closest.keep(step)
            index = step.index
            total = None if step.total is None else step.total + extra
            yield replace(step, total=total, score=closest.score + _BEHIND if self.eight_bit else None)
        total = index + extra
        for step in closest.boundary(self.boundary_steps, index + 1, total):
            yield replace(step, score=closest.score + _BEHIND if self.eight_bit else None)
        if self.eight_bit:
            yield from closest.on_the_lattice(index + 1 + self.boundary_steps, total)


class _Closest:
    """The nearest adversarial image of every row so far."""

    def __init__(self, problem: Problem, distance: Callable[[Tensor], Tensor]) -> None:
        self._problem, self._distance = problem, distance
        self.images = problem.images
        self.nearest = torch.full((len(problem.images),), torch.inf, device=problem.images.device, dtype=problem.images.dtype)
        self.found = torch.zeros(len(problem.images), dtype=torch.bool, device=problem.images.device)
        self.score = self.nearest

    @torch.no_grad()
    def keep(self, step: AttackStep) -> AttackStep:
        """Take over the rows in which the step is adversarial and nearer; the step comes back with its logits."""
        if step.logits is None:
            step = replace(step, logits=self._problem.classifier.verdict(step.adversarial))
        assert step.logits is not None
        length = self._distance(step.adversarial - self._problem.images)
        better = self._problem.succeeds(step.logits) & (length < self.nearest)
        self.images = torch.where(better[:, None, None, None], step.adversarial, self.images)
        self.nearest = torch.where(better, length, self.nearest)
        self.found = self.found | better
        self.score = -length
        return step

    @torch.no_grad()
    def boundary(self, steps: int, index: int, total: int) -> Iterator[AttackStep]:
        """Halve the segment ``steps`` times; rows without an adversarial image stay where they are."""
        clean, far = self._problem.images, self.images
        low = torch.zeros_like(self.nearest)
        high = torch.ones_like(self.nearest)
        for number in range(steps):
            middle = (low + high) / 2
            images = clean + column(middle, clean) * (far - clean)
            step = self._step(images, index + number, total)
            assert step.logits is not None
            success = self._problem.succeeds(step.logits)
            high, low = torch.where(success, middle, high), torch.where(success, low, middle)
            yield self.keep(step)

    @torch.no_grad()
    def on_the_lattice(self, index: int, total: int) -> Iterator[AttackStep]:
        """Lengthen until the rounded image is adversarial, then halve what that took."""
        self._ray = self.images - self._problem.images
        low = torch.full_like(self.nearest, -1.0)
        high = torch.full_like(self.nearest, torch.nan)
        for number, overshoot in enumerate((*_OVERSHOOTS, *[None] * _REFINEMENTS)):
            tried = torch.full_like(low, overshoot) if overshoot is not None else (low.clamp_min(0) + high) / 2
            step, success = self._rounded(tried, index + number, total)
            done = ~high.isnan()
            high = torch.where(success & (~done | (tried < high)), tried, high)
            low = torch.where(~success & (~done | (tried < high)), tried.maximum(low), low)
            yield replace(step, score=-self._distance(step.adversarial - self._problem.images) + torch.where(success, 0.0, _BEHIND))

    def _rounded(self, overshoot: Tensor, index: int, total: int) -> tuple[AttackStep, Tensor]:
        problem = self._problem
        scale = column(1 + overshoot.nan_to_num(0.0), self._ray)
        images = lattice((problem.images + scale * self._ray).clamp(0, 1))
        whole = images
        images = torch.where(self._ray != 0, images, problem.images)  # what the attack left alone keeps its bits
        step = self._step(images, index, total)
        assert step.logits is not None
        success = problem.succeeds(step.logits)
        if not torch.equal(whole, images):  # the clean image itself is off the lattice: a file would round that, too
            success = success & problem.succeeds(problem.classifier.verdict(lattice(images)))
        return step, success & self.found

    def _step(self, images: Tensor, index: int, total: int) -> AttackStep:
        from engine.attacks.losses import value

        logits = self._problem.classifier.verdict(images)
        return AttackStep(index, total, images, value("margin", logits, self._problem.labels, self._problem.targets), logits)
