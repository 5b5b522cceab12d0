"""DeepFool: repeated steps to the nearest class boundary of the linearised classifier, until one is crossed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.losses import ascent, value
from engine.attacks.toolkit.minimal_norm import MinimalNorm
from engine.attacks.toolkit.planes import Planes, beyond, leads, paper_step, step_across
from engine.attacks.toolkit.shortest_step import shortest
from engine.attacks.toolkit.target_classes import likeliest_others
from engine.balls import Norm, column
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method

_BACK = 0.5
"""Share of the way that an adversarial image returns to its plane's point nearest to the clean image. On digits, 1 overshoots in l2."""


class DeepFool(MinimalNorm):
    """Step to the nearest class boundary of the classifier made linear at the present image, until the prediction is another class.

    With ``gap_k = logits[label] - logits[k]`` and ``slope_k = d(-gap_k) / d image`` for the ``classes`` most likely classes, ``l`` is the
    class with the smallest ``gap_k / ||slope_k||_q`` (q is 2 for l2, 1 for linf), and the step is the shortest one with ``<slope_l, step> =
    (1 + overshoot) * gap_l``: ``gap_l * slope_l / ||slope_l||_2^2`` in l2, ``gap_l * sign(slope_l) / ||slope_l||_1`` in linf. Towards a
    target there is one plane, that between it and the most likely other class. Images that have crossed drop out.

    There are four differences to the paper. ``classes``: the likeliest classes are ranked again at every step, and there are 4 of them; the
    authors' code ranks 10 once, on the clean image. ``box``: many pixels of an image are black or white already and cannot follow, so a
    step that is merely clipped falls short of the plane (9 steps per digit instead of 2); "solved" finds the shortest step to the plane
    among those that stay in [0, 1] and the mask. ``refine``: afterwards an image that is adversarial goes half-way to the point of its
    plane that is nearest to the clean image, and one that is not steps on, as in SuperDeepFool; one plane each, of the nearest class.
    ``boundary_steps``: the nearest adversarial image is kept, moved onto the boundary. Images whose gradients are all zero stay unchanged;
    the reading "images stuck" counts them.

    Cost: per step ``classes - 1`` backward passes of one forward pass for the images not yet fooled, and one more forward; per refinement
    one of each. Moosavi-Dezfooli, Fawzi, Frossard 2015, arXiv 1511.04599; Abdolahpourrostam, Abroshan, Moosavi-Dezfooli 2023, arXiv
    2303.12481 (the projection, there all of the way).
    """

    slug: ClassVar[str] = "deepfool"
    title: ClassVar[str] = "DeepFool"
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Moosavi-Dezfooli et al. 2015, arXiv 1511.04599; refinement: Abdolahpourrostam et al. 2023, arXiv 2303.12481"
    norms: ClassVar[tuple[Norm, ...]] = ("l2", "linf")
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "as in the paper, but clipped and ranked anew in the loop", {"classes": 10, "box": "clipped", "refine": 0, "boundary_steps": 0}
        ),
        Preset("nearer, at twice the cost", {"refine": 20}),
    )

    norm: Literal["l2", "linf"] = budget("l2")
    """The norm of the perturbation to minimise."""
    steps: int = budget(50, ge=1, le=10_000, unit="steps")
    """Largest number of steps before an image is given up."""
    overshoot: float = method(0.02, ge=0, le=10)
    """Overshoot of a step past the plane, as a share of its length."""
    classes: int = method(4, ge=2, le=1000)
    """Number of most likely classes to consider, the label included; ranked again at every step. The paper's code takes 10; on digits more
    than 4 shorten the mean by 0.3 %.
    """
    box: Literal["solved", "clipped"] = method(
        "solved", title="limits of the range", choices={"solved": "solved for", "clipped": "clipped afterwards"}
    )
    """Treatment of the range. solved: the shortest step to the plane within [0, 1] and the mask. clipped: the plain step, clipped
    afterwards, with the overshoot on the sum of all steps, as in the paper.
    """
    clipped_step: Literal["paper", "newton"] = method(
        "paper",
        title="formula, clipped",
        choices={"paper": "as published", "newton": "corrected for rounding"},
        when={"box": "clipped"},
    )
    """Formula of the clipped step. paper: exactly as published. newton: with a correction of rounding in the last digits, as before version
    2 of the records.
    """
    refine: int = method(6, title="refining steps", ge=0, le=10_000)
    """Steps back and forth across the boundary after it was reached: each shortens the perturbation."""

    @torch.enable_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as step 0, DeepFool's steps until all rows are fooled, then the refinements."""
        rows = _Iterates(problem)
        yield rows.step()
        rows.work_on((~problem.succeeds(rows.logits)).nonzero().flatten())
        started = rows.active.rows
        for _ in self._approach(rows):
            yield rows.step()
        rows.work_on(started[problem.succeeds(rows.logits)[started]])
        for _ in self._shorten(rows):
            yield rows.step()

    def _approach(self, rows: _Iterates) -> Iterator[None]:
        """Run DeepFool itself: rows that are not fooled step to their nearest plane."""
        moved = torch.zeros_like(rows.active.problem.images)
        for _ in range(self.steps):
            if not len(rows.active):
                return
            part, (images, logits) = rows.active.problem, rows.with_graph()
            planes = Planes.of(part.classifier, self._rising(part, logits), images)
            images, moved, stuck = self._step(part, images.detach(), moved, planes)
            rows.put(images, stuck)
            yield
            left = ~(part.succeeds(rows.logits[rows.active.rows]) | stuck)
            moved = moved[left]
            rows.work_on(rows.active.rows[left])

    def _rising(self, part: Problem, logits: Tensor) -> Tensor:
        """Return the lead of each likeliest other class over the label, or of the target over the likeliest other, ``(k, N)``."""
        if part.targets is None:
            return leads(logits, part.labels, likeliest_others(logits, part.labels, self.classes - 1))
        return -leads(logits, part.targets, likeliest_others(logits, part.targets, 1))

    @torch.no_grad()
    def _step(self, part: Problem, images: Tensor, moved: Tensor, planes: Planes) -> tuple[Tensor, Tensor, Tensor]:
        """Return the next images, the sum of all steps, and which rows have no slope to follow."""
        limits = FeasibleSet(part).box
        if self.box == "solved":
            step, stuck = step_across(planes, *limits.room(images), self.norm, self.overshoot)
            return limits.clamp(images + step), moved + step, stuck
        step, stuck = self._unlimited(planes, limits.inside)
        moved = moved + step
        return limits.clamp(part.images + (1 + self.overshoot) * moved), moved, stuck

    def _unlimited(self, planes: Planes, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Return the step across the nearest plane without limits, restricted to the values ``inside`` the mask."""
        if self.clipped_step == "paper":
            return paper_step(Planes(planes.slopes * inside, planes.gaps), self.norm)
        free = torch.zeros_like(inside.flatten(1), dtype=planes.slopes.dtype).masked_fill(inside.flatten(1), torch.inf)
        return step_across(planes, -free, free, self.norm)

    def _shorten(self, rows: _Iterates) -> Iterator[None]:
        """Shorten perturbations: adversarial images step back towards the clean image, others step to the boundary."""
        if not len(rows.active) or not self.refine:
            return
        part = rows.active.problem
        box = FeasibleSet(part).box
        for _ in range(self.refine):
            images, logits = rows.with_graph()
            margin = ascent("margin", logits, part.labels, part.targets)
            slope = part.classifier.gradient(margin.sum(), images)
            with torch.no_grad():
                images = images.detach()
                adversarial = part.succeeds(logits)
                flat = slope.flatten(1)
                margin = margin.detach()
                back = (flat * (images - part.images).flatten(1)).sum(1) - margin
                gain = torch.where(adversarial, back.clamp_min(0), beyond(-margin, flat, self.norm, self.overshoot))
                base = torch.where(adversarial[:, None, None, None], part.images, images)
                step, _ = shortest(flat, gain, *box.room(base), self.norm)
                goal = base + step.view_as(base)
                pace = column(torch.where(adversarial, _BACK, 1.0), images)
                images = box.clamp(images + pace * (goal - images))
            rows.put(images)
            yield


class _Iterates:
    """Images and logits of all rows, and the last forward pass, whose graph serves the next gradient while the same rows are active."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.active, self.images = problem, ActiveRows(problem), problem.images
        self._pass: tuple[Tensor, Tensor] | None = self._forward(problem.images.clone())
        self.logits = self._pass[1].detach()
        self._stuck = torch.zeros(len(self.images), dtype=torch.bool, device=self.images.device)
        self._index = -1

    def work_on(self, rows: Tensor) -> None:
        """Make these rows of the whole batch the active ones."""
        if not torch.equal(rows, self.active.rows):
            self.active.work_on(rows)
            self._pass = None

    def put(self, images: Tensor, stuck: Tensor | None = None) -> None:
        """Move the active rows, and evaluate them there."""
        self._pass = self._forward(images.detach().clone())
        self.images = self.active.filled(self.images, images)
        self.logits = self.active.filled(self.logits, self._pass[1].detach())
        if stuck is not None:
            self._stuck = self.active.filled(self._stuck, stuck)

    def with_graph(self) -> tuple[Tensor, Tensor]:
        """Return images and logits of the active rows with their graph."""
        if self._pass is None:
            self._pass = self._forward(self.images[self.active.rows])
        return self._pass

    def _forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images.requires_grad_(), self.problem.classifier(images)

    def step(self) -> AttackStep:
        """Return a step with the present state of all rows; the loss is the margin."""
        self._index += 1
        loss = value("margin", self.logits, self.problem.labels, self.problem.targets)
        return AttackStep(self._index, None, self.images, loss, self.logits, readings={"images stuck": self._stuck.sum()})
