"""Base of Carlini and Wagner's attacks: the lead and its confidence, the first evaluation of the clean images, the search for constants."""

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
    """An attack by Carlini and Wagner: minimises the first of its ``norms`` under a lead of the wanted logit by ``confidence``."""

    confidence: float = method(0.0, ge=0, le=1000, unit="logits")
    """The paper's kappa: the margin by which the wanted logit must lead. Larger values transfer better and cost distance."""

    @property
    def least_margin(self) -> float:
        """The confidence: nearer images with a smaller lead do not count."""
        return self.confidence

    def distance(self, perturbation: Tensor) -> Tensor:
        """Return the norm ``(N,)``; in l0 the number of changed pixels."""
        return BALLS[self.norms[0]](1.0).size(perturbation)

    def found(self, problem: Problem, logits: Tensor, leads: Tensor) -> Tensor:
        """Return which rows are adversarial by the required margin, ``(N,)`` bool."""
        return problem.succeeds(logits) & (leads >= self.confidence)


def lead(logits: Tensor, problem: Problem) -> Tensor:
    """Return the best wanted minus the best unwanted logit, ``(N,)``. The paper's f is ``max(-lead, -confidence)``."""
    return ascent("margin", logits, problem.labels, problem.targets)


@dataclass(frozen=True, eq=False)
class FirstLook:
    """Lead and gradient of the clean images, from one forward and one backward pass."""

    logits: Tensor
    missing: Tensor
    """Shortfall of the lead to the confidence, ``(N,)``."""
    gradient: Tensor
    """Gradient of ``missing``, with zeros at pixels that cannot follow it."""

    @property
    def hopeful(self) -> Tensor:
        """Rows that are not adversarial yet and can move, ``(N,)`` bool: no NaN, and a gradient other than zero."""
        length = self.gradient.flatten(1).abs().amax(1)
        return (self.missing > 0) & self.missing.isfinite() & length.isfinite() & (length > 0)

    def distance(self, norm: Norm) -> Tensor:
        """Return the distance of the boundary if the lead is linear, ``(N,)``: ``missing / ||gradient||_q``, q dual to the norm."""
        return torch.where(self.hopeful, self.missing / dual_norm(self.gradient, norm).clamp_min(TINY), 0.0)

    def select(self, rows: Tensor) -> FirstLook:
        """Return the same for the rows at these indices."""
        return FirstLook(self.logits[rows], self.missing[rows], self.gradient[rows])


@torch.enable_grad()
def first_look(problem: Problem, confidence: float) -> FirstLook:
    """Run one forward and one backward pass at the clean images."""
    images = problem.images.clone().requires_grad_()
    logits = problem.classifier(images)
    missing = confidence - lead(logits, problem)
    gradient = problem.classifier.gradient(missing.sum(), images)
    return FirstLook(logits.detach(), missing.detach(), FeasibleSet(problem).box.free(problem.images, gradient))


class Constants:
    """Search for each row's weight of the hinge, with ``beside`` values at a time, block after block as in `Problem.repeat`.

    A constant that succeeds is the new upper end of the row's bracket, one that fails the new lower end. Inside a bracket the next ones are
    spread evenly: a single one is the middle. Without an upper end they are ``growth`` times as large.
    """

    def __init__(self, first: Tensor, beside: int, growth: float = 10.0) -> None:
        self._beside, self._growth = beside, growth
        self.low, self.high = torch.zeros_like(first), torch.full_like(first, torch.inf)
        powers = torch.arange(beside, device=first.device, dtype=first.dtype) - beside // 2
        self._values = first * 2 ** powers[:, None]

    @property
    def values(self) -> Tensor:
        """The constants to try, ``(beside * N,)``."""
        return self._values.flatten()

    def narrow(self, found: Tensor) -> None:
        """Record which of ``values`` succeeded, ``(beside * N,)`` bool, and choose the next ones."""
        hit = found.view_as(self._values)
        self.high = self.high.minimum(torch.where(hit, self._values, torch.inf).amin(0))
        missed = torch.where(~hit & (self._values < self.high), self._values, 0.0)
        self.low = self.low.maximum(missed.amax(0))
        numbers = torch.arange(1, self._beside + 1, device=self.low.device, dtype=self.low.dtype)[:, None]
        inside = self.low + (self.high - self.low) * numbers / (self._beside + 1)
        beyond = self._values.amax(0) * self._growth**numbers
        self._values = torch.where(self.high.isfinite(), inside, beyond)
