"""The control: noise of the same size as an attack, which hardly ever does any harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.access import Knowledge
from engine.attacks.toolkit.budget import InBall, usual_eps
from engine.attacks.toolkit.losses import value
from engine.balls import TINY, Norm, column
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.ranking import beats
from engine.text.parsing import Number


class Noise(InBall):
    """Add random noise of norm ``eps``: the control that every attack is held against.

    ``adversarial = clamp(images + mask * delta, 0, 1)`` with ``delta = eps * noise / ||noise||``, and ``noise`` one of ``sign(N(0, I))``,
    uniform in [-1, 1], or ``N(0, I)``, where the mask is above 0. The norm of ``delta`` is exactly ``eps``; a mask below 1 and the clamp
    shorten what is added, as they do with an attack's perturbation. One forward pass for each of the ``draws`` and one for the clean
    images; of several draws the best is kept per image. The clean image takes no part, also where it was misclassified before.

    After Nicolae, Rawat 2017, "random noise does not work". Where noise of an attack's size fools as many images as the attack, the attack
    has shown nothing about its directions.
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
        Preset("Gaussian, l2, eps 2 (beside PGD on MNIST)", {"norm": "l2", "eps": 2.0, "distribution": "gaussian"}),
    )

    norm: Literal["linf", "l2"] = budget("linf")
    """The norm that is eps."""
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]", usual=usual_eps("linf", "l2"))
    """The norm of the noise in pixel units: 8/255 is eight grey levels."""
    distribution: Literal["sign", "uniform", "gaussian"] = method("sign")
    """sign: every value eps up or down, as far as linf allows. uniform: evenly between both. gaussian: the normal distribution. All are
    scaled to eps."""
    draws: int = method(1, ge=1, le=10_000)
    """How many times noise is tried, one step each."""

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """The clean images, then after every draw the best of the draws until then.

        The result is the noise, also where it did the classifier good: a control that keeps the clean image would flatter it.
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
        return noise * column(self.eps / self.ball().size(noise).clamp_min(TINY), noise)


def _better(problem: Problem, best: AttackStep, drawn: AttackStep) -> AttackStep:
    """``drawn`` with the rows of ``best`` where those are no worse: success first, then the loss. A NaN stays, for the driver to see."""
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
