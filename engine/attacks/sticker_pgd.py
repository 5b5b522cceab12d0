"""Optimisation of a sticker's content: gradient ascent over the pixels inside a mask, any colour in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch

from engine.artifacts import Artifact, StickerContent
from engine.attacks.toolkit.directions import DirectionName, direction
from engine.attacks.toolkit.losses import LossName, ascent, value
from engine.attacks.toolkit.sticker_content import Begin, composed, first_content
from engine.balls import Norm
from engine.operation import Attack, AttackStep, Problem, Step, Use
from engine.parameters import budget, method
from engine.text.parsing import Number


class StickerPGD(Attack):
    """Optimise the colours of stickers by gradient steps, each clamped to [0, 1].

    ``content <- clamp(content + step_size * direction(gradient), 0, 1)`` inside the mask.
    ``adversarial = (1 - mask) * images + mask * content``: the sticker covers what is below it, so unlike PGD there is no ball, and the
    start is the sticker's own colour, not the image. Large changes over a small region, as in Brown et al. 2017, arXiv 1712.09665, but
    for one image and one place.
    """

    slug: ClassVar[str] = "sticker"
    title: ClassVar[str] = "Sticker content"
    also: ClassVar[tuple[str, ...]] = ("adversarial patch",)
    family: ClassVar[str] = "Stickers"
    paper: ClassVar[str] = "after Brown et al. 2017, arXiv 1712.09665 (one image, one place)"
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    follows_objective: ClassVar[bool] = True
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "start", "stickers"})
    needs: ClassVar[frozenset[Use]] = frozenset({"mask"})

    steps: int = budget(40, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    step_size: Number = budget(0.1, gt=0, le=1, unit="of [0, 1]")
    """Length of one step in pixel units."""
    begin: Begin = method("grey")
    """Initial content: middle grey, the image below, random colours, or the present content of the stickers."""
    direction: DirectionName = method("steepest")
    """Direction of a step. steepest: the sign. max: the gradient over its largest magnitude. truncated: over its quantile, clipped at 1."""
    quantile: float = method(0.9, title="quantile of the gradient", ge=0, le=1, when={"direction": "truncated"})
    """Quantile of |gradient| for truncated, above which all pixels move equally."""
    loss: LossName = method("ce")
    """Loss to maximise. ce: cross-entropy. stable-ce: the same direction without float32's rounding on confident images. margin: best other
    logit minus the label's. dlr: the margin over the spread of the logits.
    """

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the initial content as iterate 0, and the content after k steps as iterate k."""
        mask = problem.mask
        assert mask is not None  # the attack needs a mask, so the driver has refused a run without
        content = first_content(self.begin, problem.images, problem.random, problem.start)
        for index in range(self.steps + 1):
            images = composed(problem.images, mask, content).requires_grad_()
            logits = problem.classifier(images)
            raised = ascent(self.loss, logits, problem.labels, problem.targets)
            loss = value(self.loss, logits, problem.labels, problem.targets)
            if problem.objective is not None:
                extra = problem.objective(images)
                raised, loss = raised + extra, loss + extra.detach()
            yield AttackStep(index, self.steps, images.detach(), loss, logits.detach())
            if index < self.steps:
                gradient = problem.classifier.gradient(raised.sum(), images)
                content = (content + self.step_size * direction(self.direction, gradient, "linf", self.quantile, mask)).clamp(0, 1)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the content of the kept images, solved for where the mask is above 0."""
        assert isinstance(last, AttackStep)
        assert problem.mask is not None
        return {"content": StickerContent.under(problem.mask, problem.images, last.adversarial)}
