"""Projected gradient descent in a ball, with restarts as rows of one batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from engine.attacks.directions import Direction, direction
from engine.attacks.fgsm import USUAL_EPS, check_eps
from engine.attacks.losses import LossName, ascent, value
from engine.balls import BALLS, TINY, Ball, Norm, column
from engine.operation import Attack, AttackStep, Problem
from engine.quantities import Number


class PGD(Attack):
    """Repeat ``delta <- project(delta + step_size * direction(gradient))`` and keep the best iterate.

    ``adversarial = clamp(images + mask * delta, 0, 1)``, with the clamp inside the loop; ``gradient`` is that of the loss away from the
    label, or towards the target. ``restarts`` begin at other points of the ball and run as rows of the same batch: ``steps + 1`` forward
    passes and ``steps`` backward passes for each.

    Madry, Makelov, Schmidt, Tsipras, Vladu 2017, arXiv 1706.06083. Without random start in linf it is the basic iterative method of
    Kurakin, Goodfellow, Bengio 2016, arXiv 1607.02533. The DLR loss: Croce, Hein 2020, arXiv 2003.01690.
    """

    slug: ClassVar[str] = "pgd"
    title: ClassVar[str] = "PGD"
    family: ClassVar[str] = "Gradient, iterative"
    paper: ClassVar[str] = "Madry et al. 2017, arXiv 1706.06083"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2", "l1")
    follows_objective: ClassVar[bool] = True

    norm: Literal["linf", "l2", "l1"] = Field("linf", json_schema_extra={"group": "Budget"})
    """The norm of the ball that the perturbation stays in."""
    eps: Number | None = Field(8 / 255, gt=0, json_schema_extra={"group": "Budget", "unit": "of [0, 1]", "usual": {"norm": USUAL_EPS}})
    """Radius of the ball in pixel units: 8/255 is eight grey levels. In l2 about 0.5 is usual for small colour images, in l1 about 12.
    None: no ball, only [0, 1]."""
    steps: int = Field(40, ge=1, le=100_000, json_schema_extra={"group": "Budget"})
    """Number of steps."""
    step_size: Number | None = Field(None, gt=0, json_schema_extra={"group": "Budget", "unit": "of [0, 1]", "automatic": "length"})
    """Length of one step in pixel units. None: 2.5 * eps / steps, or 0.05 without a ball."""
    direction: Direction = Field("steepest", json_schema_extra={"group": "Method"})
    """steepest: the sign (linf) or the gradient over its length (l2). max: the gradient over its largest magnitude. truncated: the gradient
    over its quantile, cut at 1."""
    quantile: float = Field(0.9, ge=0, le=1, json_schema_extra={"group": "Method", "when": {"direction": "truncated"}})
    """For truncated: the quantile of |gradient| above which all pixels step alike. 0 is the sign, 1 is max."""
    loss: LossName = Field("ce", json_schema_extra={"group": "Method"})
    """ce: cross-entropy. stable-ce: the same direction without float32's rounding on confident images. margin: best other logit minus the
    label's. dlr: the margin over the spread of the logits."""
    random_start: bool = Field(True, json_schema_extra={"group": "Method"})
    """Begin at a random point of the ball instead of the clean image. Without a ball the clean image is the start."""
    restarts: int = Field(1, ge=1, le=1000, json_schema_extra={"group": "Method"})
    """How many starting points run side by side; the best one is kept per image."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_eps(self)
        if self.restarts > 1 and not self._starts_randomly:
            raise ValueError(
                "restarts without a random start in a ball would all be the same run: give eps and random_start, or set restarts to 1"
            )
        return self

    @property
    def _starts_randomly(self) -> bool:
        return self.random_start and self.eps is not None

    @property
    def length(self) -> float:
        """The step length in use: ``step_size``, or its default."""
        if self.step_size is not None:
            return self.step_size
        return 0.05 if self.eps is None else 2.5 * self.eps / self.steps

    def ball(self) -> Ball | None:
        """The ball of radius ``eps``; None without one."""
        return None if self.eps is None else BALLS[self.norm](self.eps)

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Iterate 0 is the start, iterate k the image after k steps; every one with its loss and logits."""
        rows = problem.repeat(self.restarts)
        delta = self._start(rows)
        for index in range(self.steps + 1):
            fresh = index == 0 and not self._starts_randomly
            images = (problem.images.clone() if fresh else rows.compose(delta)).requires_grad_()
            logits = rows.classifier(images)
            raised = ascent(self.loss, logits, rows.labels, rows.targets)
            loss = value(self.loss, logits, rows.labels, rows.targets)
            if problem.objective is not None:
                extra = problem.objective(images)
                raised, loss = raised + extra, loss + extra.detach()
            adversarial = problem.images if fresh else images.detach()
            step = AttackStep(index, self.steps, adversarial, loss, logits.detach())
            yield step if self.restarts == 1 else best_restart(step, problem)
            if index < self.steps:
                gradient = rows.classifier.gradient(raised.sum(), images)
                delta = self._update(delta, gradient, rows)

    def _start(self, rows: Problem) -> Tensor:
        ball = self.ball()
        if not self._starts_randomly or ball is None:
            return torch.zeros_like(rows.images)
        delta = ball.sample(rows.random, rows.images)
        if rows.mask is None or self.norm == "linf":
            return delta
        # What fell outside the mask would leave l2 and l1 near the clean image: the rest keeps the radius that was drawn.
        inside = delta * (rows.mask > 0)
        return ball.project(inside * column(ball.size(delta) / ball.size(inside).clamp_min(TINY), delta))

    @torch.no_grad()
    def _update(self, delta: Tensor, gradient: Tensor, rows: Problem) -> Tensor:
        delta = delta + self.length * direction(self.direction, gradient, self.norm, self.quantile, rows.mask)
        if rows.mask is not None:
            delta = delta * (rows.mask > 0)  # what lies outside would use up the budget of l2 and l1
        ball = self.ball()
        if ball is not None:
            delta = ball.project(delta)
        return (rows.images + delta).clamp(0, 1) - rows.images


@torch.no_grad()
def best_restart(step: AttackStep, problem: Problem) -> AttackStep:
    """Of the restarts of each image the one that succeeds with the largest loss."""
    assert step.logits is not None
    n = len(problem.images)
    logits, loss = step.logits.reshape(-1, n, step.logits.shape[1]), step.loss.reshape(-1, n)
    prediction = logits.argmax(2)
    success = prediction != problem.labels if problem.targets is None else prediction == problem.targets
    # Row by row, and never a NaN: what happens in one image decides nothing in another.
    loss = loss.masked_fill(loss.isnan(), -torch.inf)
    success = success & (loss > -torch.inf)
    chosen = torch.where(success | ~success.any(0), loss, -torch.inf).argmax(0)
    rows = chosen * n + torch.arange(n, device=chosen.device)
    return AttackStep(step.index, step.total, step.adversarial[rows], step.loss[rows], step.logits[rows])
