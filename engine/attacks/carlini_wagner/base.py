"""What Carlini and Wagner's attacks share: the lead and its confidence, the first look at the clean images, the search for constants."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.losses import ascent
from engine.attacks.toolkit.minimal_norm import MinimalNorm
from engine.attacks.toolkit.planes import dual_norm
from engine.balls import BALLS, TINY, Norm
from engine.operation import Problem
from engine.parameters import method


class CarliniWagner(MinimalNorm, ABC):
    """An attack of theirs: makes the first of its ``norms`` small where the wanted logit leads by the ``confidence``."""

    confidence: float = method(0.0, ge=0, le=1000, unit="logits")
    """The paper's kappa: by how much the wanted logit is to lead. More transfers better and costs distance."""

    @property
    def least_margin(self) -> float:
        """The confidence: nearer images with less of it do not count."""
        return self.confidence

    def distance(self, perturbation: Tensor) -> Tensor:
        """``(N,)``: the norm; in l0 the number of changed pixels."""
        return BALLS[self.norms[0]](1.0).size(perturbation)

    def found(self, problem: Problem, logits: Tensor, leads: Tensor) -> Tensor:
        """``(N,)`` bool: adversarial, by enough."""
        return problem.succeeds(logits) & (leads >= self.confidence)


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

    def distance(self, norm: Norm) -> Tensor:
        """``(N,)``: how far the boundary is if the lead is linear: ``missing / ||gradient||_q``, q dual to the norm. 0 without hope."""
        return torch.where(self.hopeful, self.missing / dual_norm(self.gradient, norm).clamp_min(TINY), 0.0)

    def select(self, rows: Tensor) -> FirstLook:
        """The same of the rows at these indices."""
        return FirstLook(self.logits[rows], self.missing[rows], self.gradient[rows])


@torch.enable_grad()
def first_look(problem: Problem, confidence: float) -> FirstLook:
    """One forward and one backward pass at the clean images."""
    images = problem.images.clone().requires_grad_()
    logits = problem.classifier(images)
    missing = confidence - lead(logits, problem)
    gradient = problem.classifier.gradient(missing.sum(), images)
    return FirstLook(logits.detach(), missing.detach(), FeasibleSet(problem).box.free(problem.images, gradient))


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
