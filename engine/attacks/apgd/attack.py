"""Auto-PGD: projected gradient descent with momentum and an adaptive step size, with targets and restarts as rows of one batch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.apgd.sparse_state import SparseProgress
from engine.attacks.apgd.state import Progress
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.budget import InBall, radius, usual_eps
from engine.attacks.toolkit.evaluation import Evaluation, loss_and_gradient, untargeted_loss
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.losses import LossName, check_classes
from engine.attacks.toolkit.restarts import best_restart
from engine.attacks.toolkit.target_classes import likeliest_others
from engine.balls import Norm
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_EVERY = 5
"""Steps between checks for fooled images to drop: a check waits for the device."""


class APGD(InBall):
    """PGD with an adaptive step size, which starts at ``2 * eps`` and is halved at the best point where progress stops.

    ``z = P(delta + step * steepest(gradient))``, ``delta <- P(delta + 0.75 * (z - delta) + 0.25 * (delta - previous))``, where P projects
    to the ball and [0, 1]. At the checkpoints ``ceil(p_j * steps)`` with ``p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j - p_{j-1} - 0.03,
    0.06)`` a row halves its step and returns to its best point if (1) its loss rose in fewer than ``rho`` of the steps since the last
    checkpoint, or (2) neither its step nor its best loss has changed since then. Targets and restarts are rows of one batch.

    In l1 a step of ``step`` goes by the sign over the share of values with the largest gradients, P projects to the ball and [0, 1] at
    once, and there is no momentum. Every 25th part of the steps the share becomes that of the values which the best point has changed, over
    1.5; a row whose best point has become sparser by a twentieth returns to it with the first step size, ``eps``; the others divide theirs
    by 1.5, down to ``eps / 10``. Unlike in the paper, values at the end of their range take no part in a step.

    A forward pass of the clean images, then ``steps + 1`` forward and ``steps`` backward passes for every row; the rows of an image drop
    out soon after one of them has fooled the classifier. For targeted-dlr the reported loss is the dlr away from the label, by which rows
    of different targets compare.

    Croce, Hein 2020, arXiv 2003.01690; l1: Croce, Hein 2021, arXiv 2103.01208. The authors' code tests (1) with "at most", the paper with
    "fewer", as here; it runs targets and restarts one after the other.
    """

    slug: ClassVar[str] = "apgd"
    title: ClassVar[str] = "APGD"
    also: ClassVar[tuple[str, ...]] = ("AutoAttack", "auto-PGD")
    family: ClassVar[str] = "Gradient, iterative"
    paper: ClassVar[str] = "Croce and Hein 2020, arXiv 2003.01690; L1: Croce and Hein 2021, arXiv 2103.01208"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2", "l1")
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("APGD-CE of AutoAttack (Croce 2020)", {}),
        Preset("APGD-DLR (Croce 2020)", {"loss": "dlr"}),
        Preset("APGD-T of AutoAttack: targeted DLR, 9 targets (Croce 2020)", {"loss": "targeted-dlr"}),
        Preset("MNIST, eps 0.3 (Croce 2020)", {"eps": 0.3}),
    )

    norm: Literal["linf", "l2", "l1"] = budget("linf")
    """The norm of the ball that the perturbation stays in."""
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]", usual=usual_eps("linf", "l2", "l1"))
    """Radius of the ball in pixel units: 8/255 is eight grey levels. In l2 about 0.5 is usual for small colour images, in l1 about 12."""
    steps: int = budget(100, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    loss: Literal["ce", "dlr", "targeted-dlr"] = method("ce")
    """Loss to maximise. ce: cross-entropy. dlr: the margin over the spread of the logits. targeted-dlr: the same towards each of the
    likeliest other classes, together.
    """
    n_target_classes: int | None = method(9, ge=1, le=1000, none="all others", when={"loss": "targeted-dlr"}, title="target classes")
    """Number of the likeliest other classes that become targets. None: all others. A given target is the only one."""
    restarts: int = method(1, ge=1, le=1000)
    """Number of random starting points for every target, attacked together."""
    rho: float = method(0.75, title="share of rising steps", gt=0, le=1, when={"norm": ["linf", "l2"]})
    """Share of steps that must increase the loss for the step size to stay."""
    drop_fooled: bool = method(True)
    """Drop an image once it is fooled. Otherwise its loss is increased to the end, which transfers better and costs more."""

    def checkpoints(self) -> list[int]:
        """Return the steps at which step sizes are checked: ``ceil(p_j * steps)``, each once; in l1 every 25th part of the steps."""
        if self.norm == "l1":
            every = max(1, int(0.04 * self.steps))
            return list(range(every, self.steps, every))
        before, share, found = 0.0, 0.22, []
        while share <= 1:
            found.append(math.ceil(share * self.steps - 1e-9))
            before, share = share, share + max(share - before - 0.03, 0.06)
        return sorted({step for step in found if step < self.steps})

    @property
    def takes_radii(self) -> bool:
        """Whether rows may have radii of their own; the state of the sparse steps in l1 has one for all."""
        return self.norm != "l1"

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as step 0, the random start as step 1, the image after k steps as step k + 1."""
        check_classes(self._loss, problem.classifier.num_classes)
        total = self.steps + 1
        clean = loss_and_gradient(problem, problem.images, self._loss, problem.targets, gradient=False)
        active, whole = ActiveRows(problem), AttackStep(0, total, problem.images, clean.loss, clean.logits)
        yield whole
        fooled = problem.succeeds(clean.logits)
        goals = self._goals(problem, clean.logits)
        blocks = self.restarts * (1 if goals is None else len(goals))
        drops = self.drop_fooled and problem.objective is None
        if drops and (left := active.drop(fooled)) is not None:
            goals, fooled = _columns(goals, left), fooled[left]
            if not len(active):
                return
        rows = active.problem.repeat(blocks)
        goals = None if goals is None else goals.repeat_interleave(self.restarts, 0)
        feasible = FeasibleSet(rows, self.ball_of(rows))
        progress = self._progress(rows, feasible)
        checkpoints = set(self.checkpoints())
        for index in range(total):
            images = feasible.images(progress.delta)
            aims = None if goals is None else goals.flatten()
            seen = loss_and_gradient(rows, images, self._loss, aims, gradient=index < self.steps)
            progress.note(seen.loss, seen.gradient if rows.mask is None else rows.mask * seen.gradient)
            step = AttackStep(index + 1, total, images, self._reported(rows, seen, aims), seen.logits)
            step = best_restart(step, active.problem)
            assert step.logits is not None
            fooled = fooled | active.problem.succeeds(step.logits)
            whole = active.spread(step, whole)
            yield whole
            if index in checkpoints:
                progress.check(self.rho)
            if drops and index % _EVERY == 0 and (left := active.drop(fooled)) is not None:
                if not len(active):
                    return
                progress.select(left, blocks)
                goals, fooled = _columns(goals, left), fooled[left]
                rows = active.problem.repeat(blocks)
                feasible = FeasibleSet(rows, self.ball_of(rows))
            if index < self.steps:
                progress.move(feasible, self.ball())

    def _progress(self, rows: Problem, feasible: FeasibleSet) -> Progress | SparseProgress:
        if self.norm != "l1":
            return Progress(feasible.sample(), 2 * radius(self.eps, rows))
        start = rows.random.normal(rows.images.shape[1:]).to(rows.images)
        inside = torch.ones_like(rows.images[:1]) if rows.mask is None else rows.mask.expand(-1, *rows.images.shape[1:])
        return SparseProgress(feasible.project(start), self.eps, inside > 0)

    @property
    def _loss(self) -> LossName:
        return "ce" if self.loss == "ce" else "dlr"

    def _goals(self, problem: Problem, logits: Tensor) -> Tensor | None:
        """Return the target classes, ``(T, N)``; None: away from the label."""
        if problem.targets is not None:
            return problem.targets[None]
        return likeliest_others(logits, problem.labels, self.n_target_classes) if self.loss == "targeted-dlr" else None

    def _reported(self, rows: Problem, seen: Evaluation, aims: Tensor | None) -> Tensor:
        return seen.loss if aims is None or rows.targets is not None else untargeted_loss(rows, seen, self._loss, aims)


def _columns(goals: Tensor | None, rows: Tensor) -> Tensor | None:
    return None if goals is None else goals[:, rows]
