"""Random noise of the same size as an attack, as its control; it hardly ever fools a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.attacks.toolkit.budget import InBall, radius, usual_eps
from engine.attacks.toolkit.losses import value
from engine.balls import TINY, Norm, column
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.ranking import beats
from engine.text.parsing import Number


class Noise(InBall):
    """Add random noise of norm ``eps``, the control for every attack.

    ``adversarial = clamp(images + mask * delta, 0, 1)`` with ``delta = eps * noise / ||noise||``, and ``noise`` one of ``sign(N(0, I))``,
    uniform in [-1, 1], or ``N(0, I)``, where the mask is above 0. The norm of ``delta`` is exactly ``eps``; a mask below 1 and the clamp
    shorten it, as they do with an attack's perturbation. There is one forward pass for each of the ``draws`` and one for the clean images;
    the best of several draws is kept per image. The clean image is never kept, even where it was misclassified before.

    The motto is that of Nicolae, Rawat 2017: "random noise does not work". Where noise of an attack's size fools as many images as the
    attack, the attack has shown nothing about its directions.
    """

    slug: ClassVar[str] = "noise"
    title: ClassVar[str] = "Random noise"
    family: ClassVar[str] = "Baseline"
    paper: ClassVar[str] = "control; Nicolae and Rawat 2017"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    knows: ClassVar[Knowledge] = "scores"
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Beside FGSM on MNIST, eps 0.3 (Nicolae and Rawat 2017)", {"eps": 0.3}),
        Preset("Gaussian, L2, eps 2 (beside PGD on MNIST)", {"norm": "l2", "eps": 2.0, "distribution": "gaussian"}),
    )

    norm: Literal["linf", "l2"] = budget("linf")
    """The norm in which the noise has length eps."""
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]", usual=usual_eps("linf", "l2"))
    """The norm of the noise in pixel units: 8/255 is eight grey levels."""
    distribution: Literal["sign", "uniform", "gaussian"] = method("sign")
    """Distribution of the noise. sign: every value eps up or down, as far as linf allows. uniform: evenly between both. gaussian: the
    normal distribution. All are scaled to eps.
    """
    draws: int = method(1, ge=1, le=10_000)
    """Number of random draws, one step each."""

    @property
    def takes_radii(self) -> bool:
        """Whether rows may have radii of their own: the same noise is scaled to each."""
        return True

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean images, then after every draw the best of the draws so far.

        The result is the noise even where the classifier improved under it: a control that kept the clean image would be biased.
        """
        yield self._look(problem, 0, problem.images)
        best: AttackStep | None = None
        for index in range(1, self.draws + 1):
            drawn = self._look(problem, index, problem.compose(self._draw(problem)))
            best = drawn if best is None else _better(problem, best, drawn)
            yield best

    def _look(self, problem: Problem, index: int, images: Tensor) -> AttackStep:
        logits = problem.classifier(images)
        return AttackStep(index, self.draws, images, value("ce", logits, problem.labels, problem.targets), logits)

    def _draw(self, problem: Problem) -> Tensor:
        shape, images = problem.images.shape[1:], problem.images
        if self.distribution == "uniform":
            noise = 2 * problem.random.uniform(shape).to(images) - 1
        else:
            noise = problem.random.normal(shape).to(images)
            noise = noise.sign() if self.distribution == "sign" else noise
        if problem.mask is not None:
            noise = noise * (problem.mask > 0)
        return noise * column(radius(self.eps, problem) / self.ball().size(noise).clamp_min(TINY), noise)


def _better(problem: Problem, best: AttackStep, drawn: AttackStep) -> AttackStep:
    """Return ``drawn`` with the rows of ``best`` where those are no worse: success first, then the loss.

    NaN stays, so that the driver sees it.
    """
    assert best.logits is not None
    assert drawn.logits is not None
    before, now = problem.succeeds(best.logits), problem.succeeds(drawn.logits)
    taken = beats(now, drawn.loss, before, best.loss) | drawn.loss.isnan()
    return replace(
        drawn,
        adversarial=torch.where(taken[:, None, None, None], drawn.adversarial, best.adversarial),
        loss=torch.where(taken, drawn.loss, best.loss),
        logits=torch.where(taken[:, None], drawn.logits, best.logits),
    )
