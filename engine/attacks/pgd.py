"""Projected gradient descent in a ball, with restarts and targets as rows of one batch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.attacks.toolkit.budget import check_lengths, radius, usual_eps
from engine.attacks.toolkit.directions import DirectionName, direction
from engine.attacks.toolkit.evaluation import loss_and_gradient, untargeted_loss
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.l1_in_box import L1Step, spread
from engine.attacks.toolkit.losses import LossName, check_classes
from engine.attacks.toolkit.restarts import best_restart
from engine.attacks.toolkit.target_classes import ManyTowards, check_goals, least_likely, likeliest_others, random_other
from engine.balls import BALLS, Ball, Norm
from engine.errors import WrongField
from engine.operation import Attack, AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_LECTURE = {"eps": None, "steps": 20, "step_size": 0.05, "random_start": False}


class PGD(Attack):
    """Take many small steps along the gradient, each projected back into the ball; the best iterate is kept.

    ``delta <- project(delta + step_size * direction(gradient))``, repeated ``steps`` times, and ``adversarial = clamp(images + mask *
    delta, 0, 1)`` with the clamp inside the loop; ``gradient`` is that of the loss away from the label, or towards the target. In l1 the
    direction is the sign of the gradient over the ``share`` of values with the largest gradients among those that can still move, over
    their number (sparse L1 descent: Tramèr, Boneh 2019, arXiv 1904.13000), and ``project`` and ``clamp`` are one: the nearest point of the
    ball within [0, 1] (Croce, Hein 2021, arXiv 2103.01208). ``restarts`` begin at other points of the ball, ``likeliest others`` has
    several targets, and all of these are rows of the same batch: ``steps + 1`` forward passes and ``steps`` backward passes for each row.
    An attack that chooses classes by the clean image's logits takes one forward pass more.

    Madry, Makelov, Schmidt, Tsipras, Vladu 2017, arXiv 1706.06083. Without random start in linf it is the basic iterative method of
    Kurakin, Goodfellow, Bengio 2016, arXiv 1607.02533. The DLR loss: Croce, Hein 2020, arXiv 2003.01690. Madry et al. report the last
    iterate, here the best one is kept. Our step size by default, ``2.5 * eps / steps``, is unconfirmed as theirs.
    """

    slug: ClassVar[str] = "pgd"
    title: ClassVar[str] = "PGD"
    also: ClassVar[tuple[str, ...]] = ("BIM", "basic iterative method", "I-FGSM", "projected gradient descent")
    family: ClassVar[str] = "Gradient, iterative"
    paper: ClassVar[str] = "Madry et al. 2017, arXiv 1706.06083; BIM: Kurakin et al. 2016, arXiv 1607.02533"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2", "l1")
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("BIM, eps 8/255 (Kurakin 2016)", {"steps": None, "step_size": 1 / 255, "random_start": False}),
        Preset("BIM, eps 16/255 (Kurakin 2016)", {"eps": 16 / 255, "steps": None, "step_size": 1 / 255, "random_start": False}),
        Preset(
            "Iterative least-likely class, eps 8/255 (Kurakin 2016)",
            {
                "steps": None,
                "step_size": 1 / 255,
                "random_start": False,
                "towards": "least likely",
            },
        ),
        Preset("PGD on MNIST (Madry 2017)", {"eps": 0.3, "steps": 40, "step_size": 0.01}),
        Preset("PGD on CIFAR-10 (Madry 2017)", {"steps": 10, "step_size": 2 / 255}),
        Preset("PGD on CIFAR-10, 20 steps, 10 restarts (Madry 2017)", {"steps": 20, "step_size": 2 / 255, "restarts": 10}),
        Preset("Loop of the lectures: gradient over its maximum, 0.05 × 20", {**_LECTURE, "direction": "max"}),
        Preset(
            "Gallery of targets: sign steps, 0.02 × 50, choose a target (Mou and Jaini)",
            {**_LECTURE, "steps": 50, "step_size": 0.02},
            needs=frozenset({"targets"}),
        ),
        Preset("Truncated gradient, 0.05 × 20", {**_LECTURE, "direction": "truncated", "quantile": 0.9}),
        Preset("Aimed at the nine likeliest other classes", {"towards": "likeliest others", "loss": "margin"}),
    )

    norm: Literal["linf", "l2", "l1"] = budget("linf")
    """The norm of the ball that contains the perturbation."""
    eps: Number | None = budget(8 / 255, gt=0, none="no limit", unit="of [0, 1]", usual=usual_eps("linf", "l2", "l1"))
    """Radius of the ball in pixel units: 8/255 is eight grey levels. In l2 about 0.5 is usual for small colour images, in l1 about 12.
    None: no ball, only [0, 1]."""
    steps: int | None = budget(40, ge=1, le=100_000, unit="steps", none="the rule of BIM", automatic="count")
    """Number of steps. None: the rule of BIM, min(eps + 4, 1.25 * eps) with eps in grey levels, rounded up; 40 where there is no linf ball.
    """
    step_size: Number | None = budget(None, gt=0, none="2.5 * eps / steps", unit="of [0, 1]", automatic="length")
    """Length of one step in pixel units. None: 2.5 * eps / steps, and in l1 at least eps / 3; 0.05 without a ball."""
    direction: DirectionName = method("steepest")
    """Direction of a step. steepest: the sign (linf), the gradient over its length (l2) or by l1 step (l1). max: the gradient over its
    largest magnitude. truncated: the gradient over its quantile, clipped at 1.
    """
    l1_step: L1Step = method(
        "spread", title="step in L1", choices={"spread": "spread over values"}, when={"norm": "l1", "direction": "steepest"}
    )
    """Distribution of a steepest step in l1. spread: by the sign, over the share of values with the largest gradients among those that can
    still move. one value: all of it on the largest gradient, even where that value is black or white already; hardly an attack.
    """
    share: float = method(
        0.01, title="share that moves", gt=0, le=1, unit="of all values", when={"norm": "l1", "direction": "steepest", "l1_step": "spread"}
    )
    """Share of values that move in a step of spread, at least one."""
    quantile: float = method(0.9, title="quantile of the gradient", ge=0, le=1, when={"direction": "truncated"})
    """Quantile of |gradient| for truncated, above which all pixels move equally. 0 is the sign, 1 is max."""
    loss: LossName = method("ce")
    """Loss to maximise. ce: cross-entropy. stable-ce: the same direction without float32's rounding on confident images. margin: best other
    logit minus the label's. dlr: the margin over the spread of the logits.
    """
    towards: ManyTowards = method("label or target")
    """Goal of the attack: away from the label (towards the target where one is given), or towards classes that the attack chooses, the
    least likely one, a random one, or each of the likeliest others, together; then the best of these is kept per image.
    """
    n_target_classes: int | None = method(9, ge=1, le=1000, none="all others", when={"towards": "likeliest others"}, title="target classes")
    """Number of the likeliest other classes that become targets. None: all others."""
    random_start: bool = method(True)
    """Start at a random point of the ball instead of the clean image. Without a ball the clean image is the start."""
    restarts: int = method(1, ge=1, le=1000)
    """Number of starting points that are attacked together; the best result is kept per image."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_lengths(self, self.norm)
        if self.restarts > 1 and not self._starts_randomly:
            why = "without a random start in a ball they would all be the same run"
            raise WrongField("restarts", f"{why}. Give eps and random_start, or set restarts to 1.")
        return self

    @property
    def _starts_randomly(self) -> bool:
        return self.random_start and self.eps is not None

    @property
    def count(self) -> int:
        """The number of steps in use: ``steps``, or BIM's rule."""
        if self.steps is not None:
            return self.steps
        if self.eps is None or self.norm != "linf":
            return 40
        levels = self.eps * 255
        return max(1, math.ceil(min(levels + 4, 1.25 * levels) - 1e-9))

    @property
    def length(self) -> float:
        """The step length in use: ``step_size``, or its default."""
        return float(self._length(self.eps))

    def _length(self, eps: float | Tensor | None) -> float | Tensor:
        """Return the step length for a radius, or for one for each row, ``(N,)``."""
        if self.step_size is not None:
            return self.step_size
        if eps is None:
            return 0.05
        return eps / 3 if self._spreads and 2.5 / self.count < 1 / 3 else 2.5 * eps / self.count

    @property
    def takes_radii(self) -> bool:
        """Whether there is a radius, and a number of steps that does not depend on it."""
        return self.eps is not None and self.steps is not None

    @property
    def _spreads(self) -> bool:
        return self.norm == "l1" and self.l1_step == "spread" and self.direction == "steepest"

    def ball(self) -> Ball | None:
        """Return the ball of radius ``eps``; None without one."""
        return None if self.eps is None else BALLS[self.norm](self.eps)

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the start as iterate 0, and the image after k steps as iterate k, each with its loss and logits."""
        check_classes(self.loss, problem.classifier.num_classes)
        rows, goals = self._rows(problem)
        chosen = goals[: len(problem.images)] if goals is not None and self.towards in ("least likely", "random") else None
        eps = radius(self.eps, rows)
        feasible = FeasibleSet(rows, None if eps is None else BALLS[self.norm](eps), one_by_one=self.l1_step == "one value")
        delta = feasible.sample() if self._starts_randomly else torch.zeros_like(rows.images)
        images = feasible.images(delta) if self._starts_randomly else rows.images
        for index in range(self.count + 1):
            seen = loss_and_gradient(rows, images, self.loss, goals, gradient=index < self.count)
            loss = untargeted_loss(rows, seen, self.loss, goals) if self.towards == "likeliest others" and goals is not None else seen.loss
            step = best_restart(AttackStep(index, self.count, images, loss, seen.logits), problem)
            yield step if chosen is None else replace(step, goals=chosen)
            if index < self.count:
                along = self._along(feasible, delta, seen.gradient, rows.mask)
                delta = feasible.follow(delta, along, self._length(eps))
                images = feasible.images(delta)

    def _along(self, feasible: FeasibleSet, delta: Tensor, gradient: Tensor, mask: Tensor | None) -> Tensor:
        """Return the step direction, of length 1."""
        if self._spreads:
            return spread(feasible.free(gradient if mask is None else mask * gradient, delta), self.share, mask)
        return direction(self.direction, gradient, self.norm, self.quantile, mask)

    def _rows(self, problem: Problem) -> tuple[Problem, Tensor | None]:
        """Return the problem with a row for every target class, restart and image, and the target classes ``(rows,)``."""
        check_goals(self.towards, problem)
        if self.towards == "label or target":
            rows = problem.repeat(self.restarts)
            return rows, rows.targets
        if self.towards == "random":
            goals = random_other(problem)[None]
        else:
            with torch.no_grad():
                logits = problem.classifier(problem.images)
            chosen = self.towards == "likeliest others"
            goals = likeliest_others(logits, problem.labels, self.n_target_classes) if chosen else least_likely(logits)[None]
        return problem.repeat(len(goals) * self.restarts), goals.repeat_interleave(self.restarts, 0).flatten()
