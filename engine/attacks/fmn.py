"""FMN: gradient ascent in a ball whose radius follows the distance to the boundary, in four norms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.toolkit.evaluation import loss_and_gradient
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.minimal_norm import MinimalNorm
from engine.attacks.toolkit.planes import dual_norm
from engine.attacks.toolkit.schedules import cosine
from engine.balls import BALLS, TINY, Norm, normalised
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_LAST = 0.01
"""Ratio of the last to the first step size."""


class FMN(MinimalNorm):
    """Maximise the margin inside a ball around the clean image, whose radius adapts at every step.

    Until an adversarial image is found the radius grows by the estimated distance of the boundary; then it shrinks slightly after every
    success and grows slightly after every failure.

    ``delta <- clip(project(delta + pace * gradient / ||gradient||_2, eps))`` with the gradient of the ``margin``, best other logit minus
    the label's (for a target: its logit minus the best other). ``eps`` becomes ``eps + |margin| / ||gradient||_q`` while nothing was found
    (q is dual to the norm), ``min((1 - pull) * eps, nearest)`` where the present image is adversarial, ``(1 + pull) * eps`` where it is
    not. In l0 ``eps`` is a number of pixels that changes by ``pull`` of itself and at least by 1. ``pace`` falls from ``step_size`` to a
    hundredth of it and ``pull`` from ``gamma`` to ``last_gamma``, both along a cosine. ``steps + 1`` forward and ``steps`` backward passes.

    The nearest adversarial iterate is kept, moved onto the boundary (in l0: without unnecessary pixels). Pintor, Roli, Brendel, Biggio
    2021, arXiv 2102.12827. Differences: l0 counts pixels, not values; it starts from the clean image only; and the radius grows from itself
    instead of from ``||delta||``, and by ``pull`` of itself at least, because it would stall where most of a step is clipped away (with
    half of the digits, in l2) or where the margin is 0.
    """

    slug: ClassVar[str] = "fmn"
    title: ClassVar[str] = "FMN"
    also: ClassVar[tuple[str, ...]] = ("fast minimum norm",)
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Pintor et al. 2021, arXiv 2102.12827"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2", "l1", "l0")
    presets: ClassVar[tuple[Preset, ...]] = (Preset("without the boundary search", {"boundary_steps": 0}),)

    norm: Literal["linf", "l2", "l1", "l0"] = budget("l2")
    """The norm of the perturbation to minimise."""
    steps: int = budget(100, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    gamma: float = method(0.05, gt=0, lt=1, title="first radius change")
    """Relative change of the radius in the first step."""
    last_gamma: float = method(0.001, title="last radius change", gt=0, lt=1)
    """Relative change of the radius in the last step."""
    step_size: Number = method(1.0, gt=0, unit="of [0, 1], L2")
    """Length of the first step, before the projection; the last one is a hundredth of it."""

    @torch.no_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as step 0, and the image after k steps as step k."""
        clean, box = problem.images, FeasibleSet(problem).box
        free, radius = box.inside, _Radius(self.norm, box.farthest(clean))
        delta = torch.zeros_like(clean)
        for index in range(self.steps + 1):
            images = clean if index == 0 else box.clamp(clean + delta)
            seen = loss_and_gradient(problem, images, "margin", problem.targets, gradient=index < self.steps)
            yield AttackStep(index, self.steps, images, seen.loss, seen.logits)
            if index == self.steps:
                return
            delta, gradient = images - clean, seen.gradient * free
            pull = cosine(self.gamma, self.last_gamma, index, self.steps)
            eps = radius.fitted(problem.succeeds(seen.logits), delta, seen.loss, gradient, pull)
            pace = cosine(self.step_size, _LAST * self.step_size, index, self.steps)
            delta = BALLS[self.norm](eps).project(delta + pace * normalised(gradient))


class _Radius:
    """The radius of every row, and the smallest norm at which it was adversarial."""

    def __init__(self, norm: Norm, widest: Tensor) -> None:
        self._norm, self._ball = norm, BALLS[norm](1.0)
        self._largest = self._ball.size(widest)
        self._nearest = torch.full_like(self._largest, torch.inf)
        self._eps = torch.full_like(self._largest, 1.0 if norm == "l0" else torch.inf)

    def fitted(self, adversarial: Tensor, delta: Tensor, margin: Tensor, gradient: Tensor, pull: float) -> Tensor:
        """Return the radius for the next step, ``(N,)``."""
        length = self._ball.size(delta)
        self._nearest = torch.where(adversarial, self._nearest.minimum(length), self._nearest)
        found = self._nearest < torch.inf
        if self._norm == "l0":
            smaller = (self._eps - 1).minimum((self._eps * (1 - pull)).floor()).minimum(self._nearest)
            larger = (self._eps + 1).maximum((self._eps * (1 + pull)).floor())
            eps = torch.where(adversarial, smaller, larger).clamp_min(1)
        else:
            slope = dual_norm(gradient, self._norm)
            present = torch.where(self._eps < torch.inf, self._eps, length)
            ahead = present + (margin.abs() / slope.clamp_min(TINY)).maximum(pull * present)
            smaller = (self._eps * (1 - pull)).minimum(self._nearest)
            eps = torch.where(adversarial, smaller, torch.where(found, self._eps * (1 + pull), ahead))
        self._eps = eps.minimum(self._largest)
        return self._eps
