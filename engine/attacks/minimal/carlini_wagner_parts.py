"""What Carlini and Wagner's attacks share: the box, the lead, the first look at the clean images, and the search for constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.attacks.gradient.losses import ascent
from engine.balls import TINY
from engine.operation import AttackStep, Problem

Parametrisation = Literal["projected", "tanh"]
SHRINK = 0.999999
"""Before atanh, as in the authors' code: a pixel at 0 or 1 would be at minus or plus infinity."""


@dataclass(frozen=True, eq=False)
class Box:
    """Where each pixel may be: ``[max(0, images - mask), min(1, images + mask)]``, all of [0, 1] without a mask.

    ``"projected"`` optimises the image itself and clamps it after each step; ``"tanh"`` optimises ``w`` with
    ``image = low + (high - low) * (tanh(w) + 1) / 2``, which never leaves the box but hardly moves away from its sides.
    """

    low: Tensor
    high: Tensor
    tanh: bool

    @classmethod
    def of(cls, problem: Problem, parametrisation: Parametrisation = "projected") -> Box:
        """The box of every row, ``(N or 1, C or 1, H or 1, W or 1)``."""
        if problem.mask is None:
            low = torch.zeros_like(problem.images[:1, :1, :1, :1])
            return cls(low, torch.ones_like(low), parametrisation == "tanh")
        low, high = (problem.images - problem.mask).clamp_min(0), (problem.images + problem.mask).clamp_max(1)
        return cls(low, high, parametrisation == "tanh")

    def select(self, rows: Tensor) -> Box:
        """The boxes of the rows at these indices."""
        return self if len(self.low) == 1 else Box(self.low[rows], self.high[rows], self.tanh)

    def repeat(self, times: int) -> Box:
        """Every box ``times`` times, block after block."""
        return self if len(self.low) == 1 else Box(self.low.repeat(times, 1, 1, 1), self.high.repeat(times, 1, 1, 1), self.tanh)

    def enter(self, images: Tensor) -> Tensor:
        """The variable whose image this is."""
        if not self.tanh:
            return images.clone()
        inside = 2 * (images - self.low) / (self.high - self.low).clamp_min(TINY) - 1
        return torch.atanh(inside.clamp(-1, 1) * SHRINK)

    def image(self, variable: Tensor) -> Tensor:
        """The image of a variable, where the box is a point the clean image's own bits."""
        return self.low + (self.high - self.low) * ((variable.tanh() + 1) / 2) if self.tanh else variable

    def settle(self, variable: Tensor) -> Tensor:
        """A variable after a step: back in the box."""
        return variable if self.tanh else variable.clamp(self.low, self.high)

    def movable(self, images: Tensor) -> Tensor:
        """``(N,)``: how many values of a row may change."""
        return (self.high > self.low).expand_as(images).flatten(1).sum(1)

    def free(self, images: Tensor, gradient: Tensor) -> Tensor:
        """``gradient`` of what falls, without the pixels that already are at the side it drives them to."""
        blocked = ((images <= self.low) & (gradient > 0)) | ((images >= self.high) & (gradient < 0))
        return gradient.masked_fill(blocked, 0)


def lead(logits: Tensor, problem: Problem) -> Tensor:
    """``(N,)``: the best logit that is wanted minus the best that is not. The paper's f is ``max(-lead, -confidence)``."""
    return ascent("margin", logits, problem.labels, problem.targets)


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What one pass forward and back says of the clean images."""

    logits: Tensor
    missing: Tensor
    """``(N,)``: by how much the lead falls short of the confidence."""
    gradient: Tensor
    """Of ``missing``, without the pixels that cannot follow it."""

    @property
    def hopeful(self) -> Tensor:
        """``(N,)`` bool: rows not found yet that have somewhere to go: no NaN, and a gradient other than zero."""
        length = self.gradient.flatten(1).abs().amax(1)
        return (self.missing > 0) & self.missing.isfinite() & length.isfinite() & (length > 0)

    def distance(self, p: float) -> Tensor:
        """``(N,)``: how far the boundary is if the lead is linear: ``missing / ||gradient||_p``, in the norm dual to p. 0 without hope."""
        length = torch.linalg.vector_norm(self.gradient.flatten(1), ord=p, dim=1)
        return torch.where(self.hopeful, self.missing / length.clamp_min(TINY), 0.0)


@torch.enable_grad()
def first_look(problem: Problem, box: Box, confidence: float) -> FirstLook:
    """One forward and one backward pass at the clean images."""
    images = problem.images.clone().requires_grad_()
    logits = problem.classifier(images)
    missing = confidence - lead(logits, problem)
    gradient = problem.classifier.gradient(missing.sum(), images)
    return FirstLook(logits.detach(), missing.detach(), box.free(problem.images, gradient))


class Constants:
    """The search for the weight of the hinge, per row, ``beside`` values of it at a time, block after block as in `Problem.repeat`.

    A constant that succeeds is the new upper end of the row's bracket, one that fails the new lower end. Inside a bracket the next ones
    are spread evenly: with one at a time that is the middle. Without an upper end they are ``growth`` times as large.
    """

    def __init__(self, first: Tensor, beside: int, growth: float = 10.0) -> None:
        self._beside, self._growth = beside, growth
        self.low, self.high = torch.zeros_like(first), torch.full_like(first, torch.inf)
        powers = torch.arange(beside, device=first.device, dtype=first.dtype) - beside // 2
        self._values = first * 2 ** powers[:, None]

    @property
    def values(self) -> Tensor:
        """``(beside * N,)``."""
        return self._values.flatten()

    def narrow(self, found: Tensor) -> None:
        """Take over which of ``values`` succeeded, ``(beside * N,)`` bool, and choose the next ones."""
        hit = found.view_as(self._values)
        self.high = self.high.minimum(torch.where(hit, self._values, torch.inf).amin(0))
        missed = torch.where(~hit & (self._values < self.high), self._values, 0.0)
        self.low = self.low.maximum(missed.amax(0))
        numbers = torch.arange(1, self._beside + 1, device=self.low.device, dtype=self.low.dtype)[:, None]
        inside = self.low + (self.high - self.low) * numbers / (self._beside + 1)
        beyond = self._values.amax(0) * self._growth**numbers
        self._values = torch.where(self.high.isfinite(), inside, beyond)


class Running:
    """The latest iterate of every row, while some rows have left the computation."""

    def __init__(self, images: Tensor, loss: Tensor, logits: Tensor) -> None:
        self.images, self.loss, self.logits = images, loss, logits

    def put(self, rows: Tensor, images: Tensor, loss: Tensor, logits: Tensor) -> None:
        """Take over the rows at these indices."""
        if len(rows) == len(self.loss):
            self.images, self.loss, self.logits = images.detach(), loss.detach(), logits.detach()
            return
        self.images = self.images.index_copy(0, rows, images.detach())
        self.loss = self.loss.index_copy(0, rows, loss.detach())
        self.logits = self.logits.index_copy(0, rows, logits.detach())

    def step(self, index: int, total: int | None, **readings: Tensor) -> AttackStep:
        """As a step of all rows."""
        return AttackStep(index, total, self.images, self.loss, self.logits, readings=readings)
