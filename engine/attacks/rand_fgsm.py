"""FGSM from a random corner near the image, which escapes the flat region of a masked gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from engine.attacks.toolkit.budget import check_lengths, radius
from engine.attacks.toolkit.directions import direction
from engine.attacks.toolkit.evaluation import loss_and_gradient
from engine.attacks.toolkit.losses import check_classes
from engine.attacks.toolkit.restarts import best_restart
from engine.balls import Linf, Norm, column
from engine.errors import WrongField
from engine.operation import Attack, AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number


class RandFGSM(Attack):
    """Take a random step of length ``alpha``, then a step of FGSM with the rest of ``eps``.

    ``start = clamp(images + mask * alpha * sign(N(0, I)), 0, 1)``, then ``adversarial = clamp(start + (eps - alpha) * mask *
    sign(gradient(start)), 0, 1)``. There are two forward passes and one backward for each of the ``draws``, which are rows of one batch;
    the best is kept per image.

    Tramèr, Kurakin, Papernot, Goodfellow, Boneh, McDaniel 2017, arXiv 1705.07204. At the same eps it is weaker than FGSM on an undefended
    network, since part of the budget goes into noise; it wins where the gradient is masked. That the paper takes ``alpha = eps / 2`` is
    unconfirmed. One draw is the paper's attack.
    """

    slug: ClassVar[str] = "rand-fgsm"
    title: ClassVar[str] = "Rand+FGSM"
    family: ClassVar[str] = "Gradient, one step"
    paper: ClassVar[str] = "Tramèr et al. 2017, arXiv 1705.07204"
    norms: ClassVar[tuple[Norm, ...]] = ("linf",)
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Rand+FGSM on MNIST, eps 0.3, alpha 0.05 (Nicolae and Rawat 2017)", {"eps": 0.3, "alpha": 0.05}),
        Preset("Rand+FGSM, eps 16/255, alpha eps/2", {"eps": 16 / 255}),
    )

    norm: Literal["linf"] = budget("linf")
    """The norm of both steps together."""
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]")
    """Length of both steps together in pixel units: 8/255 is eight grey levels."""
    alpha: Number | None = method(None, title="random step", ge=0, none="eps / 2", unit="of [0, 1]", automatic="first")
    """Length of the random step, less than eps. 0 is FGSM. None: eps / 2."""
    draws: int = method(1, ge=1, le=1000)
    """Number of random steps that are tried together; the best result is kept per image."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_lengths(self, self.norm)
        if self.first >= self.eps:
            raise WrongField("alpha", f"{self.first:g} leaves nothing of eps = {self.eps:g} for the second step. Choose a smaller alpha.")
        return self

    @property
    def first(self) -> float:
        """Length of the random step in use: ``alpha``, or half of eps."""
        return self.eps / 2 if self.alpha is None else self.alpha

    @property
    def takes_radii(self) -> bool:
        """Whether rows may have radii of their own: where the random step is half of each."""
        return self.alpha is None

    def ball(self) -> Linf:
        """Return the ball of radius ``eps``."""
        return Linf(self.eps)

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the images after the random step, then those after both steps."""
        check_classes("ce", problem.classifier.num_classes)
        rows = problem.repeat(self.draws)
        noise = rows.random.normal(rows.images.shape[1:]).to(rows.images).sign()
        eps = radius(self.eps, rows)
        first = eps / 2 if self.alpha is None else self.alpha
        start = rows.compose(column(first, noise) * noise)
        seen = loss_and_gradient(rows, start, "ce", rows.targets)
        yield best_restart(AttackStep(0, 1, start, seen.loss, seen.logits), problem)
        step = direction("steepest", seen.gradient, "linf", 0.0, rows.mask)
        step = step if rows.mask is None else rows.mask * step
        adversarial = (start + column(eps - first, step) * step).clamp(0, 1)
        seen = loss_and_gradient(rows, adversarial, "ce", rows.targets, gradient=False)
        yield best_restart(AttackStep(1, 1, adversarial, seen.loss, seen.logits), problem)
