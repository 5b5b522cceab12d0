"""The fast gradient sign method, away from the label, towards a target, or towards a class that it chooses itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self, TypeVar

import torch
from pydantic import Field, JsonValue, model_validator
from torch import Tensor

from engine.attacks.directions import direction
from engine.attacks.losses import ascent, value
from engine.balls import BALLS, Ball, Norm
from engine.errors import GibbonError
from engine.operation import Attack, AttackStep, Problem
from engine.quantities import Number

Op = TypeVar("Op", bound=Attack)
USUAL_EPS: dict[str, JsonValue] = {"linf": 8 / 255, "l2": 0.5, "l1": 12.0}
"""Radii that small colour images are usually attacked with, by norm: 8/255 in l2 would move nothing that can be seen or measured."""


class FGSM(Attack):
    """One step of length ``eps`` along the sign of the gradient.

    ``adversarial = clamp(images + mask * eps * steepest(gradient), 0, 1)`` with ``gradient = d CE(logits, labels) / d images``; towards a
    target the sign is turned. Two forward passes and one backward.

    The one-step target class methods choose the target themselves and count as success that the label is left: ``step l.l.`` takes
    ``argmin_j logits_j``, ``step rnd.`` a random class other than the label.

    Goodfellow, Shlens, Szegedy 2014, arXiv 1412.6572. Step l.l. and step rnd.: Kurakin, Goodfellow, Bengio 2016, arXiv 1611.01236.
    """

    slug: ClassVar[str] = "fgsm"
    title: ClassVar[str] = "FGSM"
    family: ClassVar[str] = "Gradient, one step"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572; step l.l. and rnd.: Kurakin et al. 2016, arXiv 1611.01236"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2", "l1")
    follows_objective: ClassVar[bool] = True

    norm: Literal["linf", "l2", "l1"] = Field("linf", json_schema_extra={"group": "Budget"})
    """The norm of the step: linf moves every pixel by eps, l2 along the gradient, l1 one value by all of eps."""
    eps: Number = Field(8 / 255, gt=0, json_schema_extra={"group": "Budget", "unit": "of [0, 1]", "usual": {"norm": USUAL_EPS}})
    """Length of the step in pixel units: 8/255 is eight grey levels."""
    towards: Literal["label or target", "least likely", "random"] = Field("label or target", json_schema_extra={"group": "Method"})
    """Away from the label (towards the target where one is given), or towards a class that the attack chooses: the least likely one (step
    l.l.) or a random one (step rnd.)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        return check_eps(self)

    def ball(self) -> Ball:
        """The ball of radius ``eps``."""
        return BALLS[self.norm](self.eps)

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """The clean images, then the one step."""
        if problem.targets is not None and self.towards != "label or target":
            raise GibbonError(f"towards “{self.towards}” chooses the class itself, but a target was given. Leave one of them out.")
        view = problem.classifier
        images = problem.images.clone().requires_grad_()
        logits = view(images)
        goals = problem.targets if self.towards == "label or target" else self._choose(problem, logits.detach())
        raised, loss = ascent("ce", logits, problem.labels, goals), value("ce", logits, problem.labels, goals)
        if problem.objective is not None:
            extra = problem.objective(images)
            raised, loss = raised + extra, loss + extra.detach()
        yield AttackStep(0, 1, problem.images, loss, logits.detach())
        gradient = view.gradient(raised.sum(), images)
        adversarial = problem.compose(self.eps * direction("steepest", gradient, self.norm, 0.0, problem.mask))
        with torch.no_grad():
            logits = view(adversarial)
            loss = value("ce", logits, problem.labels, goals)
            loss = loss if problem.objective is None else loss + problem.objective(adversarial)
        yield AttackStep(1, 1, adversarial, loss, logits)

    def _choose(self, problem: Problem, logits: Tensor) -> Tensor:
        if self.towards == "least likely":
            return logits.argmin(1)
        drawn = problem.random.integers(logits.shape[1] - 1)
        return drawn + (drawn >= problem.labels)  # every class but the label, each as likely


def check_eps(attack: Op) -> Op:
    """Refuse a radius that can only be a mistake of unit: more than the whole range in linf."""
    eps = getattr(attack, "eps", None)
    if getattr(attack, "norm", "") == "linf" and eps is not None and eps > 1:
        raise ValueError(f"eps = {eps:g} is more than the whole range [0, 1]. In grey levels write {eps:g}/255.")
    return attack
