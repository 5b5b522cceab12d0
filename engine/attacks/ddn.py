"""DDN: decoupled direction and norm. The direction follows the gradient, the norm whether the image is adversarial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch

from engine.attacks.toolkit.evaluation import loss_and_gradient
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.losses import LossName
from engine.attacks.toolkit.minimal_norm import MinimalNorm
from engine.attacks.toolkit.schedules import cosine
from engine.balls import L2, TINY, Norm, column, normalised
from engine.errors import GibbonError
from engine.images import lattice
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_LAST = 0.01
"""Ratio of the last to the first step size."""


class DDN(MinimalNorm):
    """Follow the gradient on a sphere around the clean image.

    The sphere shrinks while the image is adversarial and grows while it is not.

    ``delta <- delta + pace * gradient / ||gradient||_2`` with the gradient of the cross-entropy, away from the label or towards the target;
    ``eps <- (1 - gamma) * eps`` where the image is adversarial, else ``(1 + gamma) * eps``; ``delta <- eps * delta / ||delta||_2``;
    ``images + delta`` is clipped to [0, 1] and the mask. ``pace`` falls from ``step_size`` to a hundredth of it along a cosine. A row whose
    gradient is zero follows its own random direction. ``steps + 1`` forward passes and ``steps`` backward passes.

    The nearest adversarial iterate is kept, moved onto the boundary, which is not in the paper. Rony, Hafemann, Oliveira, Ben Ayed,
    Sabourin, Granger 2018, arXiv 1811.09600.
    """

    slug: ClassVar[str] = "ddn"
    title: ClassVar[str] = "DDN"
    also: ClassVar[tuple[str, ...]] = ("decoupling direction and norm",)
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Rony et al. 2018, arXiv 1811.09600"
    norms: ClassVar[tuple[Norm, ...]] = ("l2",)
    raises: ClassVar[str] = "cross-entropy"
    reported: ClassVar[LossName] = "ce"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("as in the paper, 100 steps", {"quantise": True, "boundary_steps": 0}),
        Preset("as in the paper, 1000 steps", {"steps": 1000, "quantise": True, "boundary_steps": 0}),
    )

    norm: Literal["l2"] = budget("l2")
    """The norm of the perturbation to minimise."""
    steps: int = budget(100, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    gamma: float = method(0.05, title="change of the radius", gt=0, lt=1)
    """Relative change of the radius in a step."""
    start_eps: Number = method(1.0, gt=0, unit="of [0, 1], L2", title="first radius")
    """Initial radius, at most that of the ball that contains every image, sqrt(C * H * W)."""
    step_size: Number = method(1.0, gt=0, unit="of [0, 1], L2")
    """Length of the first step, before the radius is applied; the last one is a hundredth of it."""
    quantise: bool = method(False)
    """Round every iterate to 8 bits, as in the paper, so that the result is an image that a file can hold."""

    @torch.no_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as step 0, and the image after k steps as step k."""
        clean, box = problem.images, FeasibleSet(problem).box
        widest = L2.widest(clean.shape[1:])
        if self.start_eps > widest:
            raise GibbonError(
                f"start_eps = {self.start_eps:g} is more than the whole range of the image, {widest:g} in L2. Pixels are in [0, 1]: "
                f"divide grey levels by 255."
            )
        free = box.inside
        fallback = normalised(problem.random.normal(clean.shape[1:]).to(clean) * free)
        largest = L2(1.0).size(box.farthest(clean))
        eps = torch.full_like(largest, self.start_eps)
        images = clean
        for index in range(self.steps + 1):
            seen = loss_and_gradient(problem, images, "ce", problem.targets, gradient=index < self.steps)
            yield AttackStep(index, self.steps, images, seen.loss, seen.logits)
            if index == self.steps:
                return
            adversarial = problem.succeeds(seen.logits)
            eps = torch.where(adversarial, (1 - self.gamma) * eps, (1 + self.gamma) * eps).minimum(largest)
            gradient = seen.gradient * free
            flat = (gradient == 0).flatten(1).all(1)[:, None, None, None]
            direction = torch.where(flat, fallback, normalised(gradient))
            delta = images - clean + cosine(self.step_size, _LAST * self.step_size, index, self.steps) * direction
            delta = delta * column(eps / L2(1.0).size(delta).clamp_min(TINY), delta)
            images = clean + delta
            if self.quantise:
                images = torch.where(free, lattice(images), clean)
            images = box.clamp(images)
