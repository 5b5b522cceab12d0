"""The iterative method with momentum: an averaged gradient direction, which transfers better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch

from engine.attacks.toolkit.budget import InBall, radius, usual_eps
from engine.attacks.toolkit.evaluation import loss_and_gradient
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.losses import LossName, check_classes
from engine.balls import Norm, column, normalised
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number


class MIFGSM(InBall):
    """Step along an average of all gradients so far, which is steadier and transfers better to other models.

    ``momentum <- decay * momentum + gradient / ||gradient||_1``, then ``delta <- project(delta + step_size * steepest(momentum))`` with
    ``steepest`` the sign in linf and ``momentum / ||momentum||_2`` in l2; ``adversarial = clamp(images + mask * delta, 0, 1)``. ``steps +
    1`` forward passes and ``steps`` backward passes.

    Dong, Liao, Pang, Su, Zhu, Hu, Li 2017, arXiv 1710.06081. The paper returns the last iterate; here the best one is kept.
    """

    slug: ClassVar[str] = "mi-fgsm"
    title: ClassVar[str] = "MI-FGSM"
    also: ClassVar[tuple[str, ...]] = ("momentum iterative method", "MIM")
    family: ClassVar[str] = "Gradient, iterative"
    paper: ClassVar[str] = "Dong et al. 2017, arXiv 1710.06081"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("ImageNet, eps 16/255, 10 steps (Dong 2017)", {"eps": 16 / 255}),
        Preset("Without momentum: the iterative method", {"decay": 0.0}),
    )

    norm: Literal["linf", "l2"] = budget("linf")
    """The norm of the ball that contains the perturbation."""
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]", usual=usual_eps("linf", "l2"))
    """Radius of the ball in pixel units: 8/255 is eight grey levels."""
    steps: int = budget(10, ge=1, le=100_000, unit="steps")
    """Number of steps after the start."""
    step_size: Number | None = budget(None, gt=0, none="eps / steps", unit="of [0, 1]", automatic="length")
    """Length of one step in pixel units. None: eps / steps."""
    decay: float = method(1.0, title="momentum", ge=0, le=10)
    """Share of the momentum that is carried over: 0 is the iterative method, 1 adds up all gradients."""
    loss: LossName = method("ce")
    """Loss to maximise. ce: cross-entropy. stable-ce: the same direction without float32's rounding on confident images. margin: best other
    logit minus the label's. dlr: the margin over the spread of the logits.
    """

    @property
    def length(self) -> float:
        """The step length in use: ``step_size``, or its default."""
        return self.eps / self.steps if self.step_size is None else self.step_size

    @property
    def takes_radii(self) -> bool:
        """Whether rows may have radii of their own; without ``step_size`` the steps follow them."""
        return True

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as iterate 0, and the image after k steps as iterate k."""
        check_classes(self.loss, problem.classifier.num_classes)
        ball, feasible = self.ball(), FeasibleSet(problem, self.ball_of(problem))
        length = radius(self.eps, problem) / self.steps if self.step_size is None else self.step_size
        images, delta, momentum = problem.images, torch.zeros_like(problem.images), torch.zeros_like(problem.images)
        for index in range(self.steps + 1):
            seen = loss_and_gradient(problem, images, self.loss, problem.targets, gradient=index < self.steps)
            yield AttackStep(index, self.steps, images, seen.loss, seen.logits)
            if index < self.steps:
                gradient = seen.gradient if problem.mask is None else problem.mask * seen.gradient
                momentum = self.decay * momentum + normalised(gradient, 1)
                delta = feasible.follow(delta, column(length, delta) * ball.steepest(momentum), 1.0)  # two roundings, as in every record
                images = feasible.images(delta)
