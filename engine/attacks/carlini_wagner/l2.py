"""Carlini and Wagner's L2 attack: distance plus a weighted hinge on the logits, and a search for the weight."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.carlini_wagner.base import CarliniWagner, Constants, FirstLook, first_look, lead
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.box import Box
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.schedules import cosine
from engine.balls import TINY, Norm, column
from engine.operation import AttackStep, Problem
from engine.parameters import Preset, budget, method
from engine.ranking import best_of
from engine.text.parsing import Number

_REACH = 2.0
"""Factor between the automatic step size and the estimated distance per pixel, and between the first constant and the one that suits a
linear model: 2 to 4 for either gave the smallest distances in the fewest steps, on digits and on photographs.
"""
_PLATEAU = 1e-4
"""Share by which a row's objective must fall within a tenth of the steps, as in the authors' code."""
_SHRINK = 0.999999
"""Factor before atanh, as in the authors' code: a pixel at 0 or 1 would become infinite."""

Parametrisation = Literal["projected", "tanh"]


class CarliniWagnerL2(CarliniWagner):
    """Search for the nearest adversarial image in L2: minimise distance plus a weighted penalty, and search for the weight.

    ``minimise ||image - clean||_2^2 + constant * max(-lead, -confidence)`` over images in [0, 1] with Adam, where ``lead`` is the best
    wanted logit minus the best unwanted one: ``logits[target] - max others``, or ``max others - logits[label]``. Each row has its own
    ``constant``: one that succeeds is halved towards the largest that failed, one that fails is multiplied by ten. All rounds start at the
    clean image with a fresh Adam; the nearest image of all rounds is kept. ``rounds * steps + 1`` forward and backward passes at most: rows
    leave a round at a plateau.

    By default constant and step size come from the first gradient, so that one set of defaults serves 28 x 28 digits and photographs: with
    ``missing = confidence - lead`` a linear model has its minimum at the distance ``missing / ||gradient||`` for the constant ``2 * missing
    / ||gradient||^2``; the first constant is four times that, the step size twice that distance over the root of the number of pixels
    (later, the distance found).

    Carlini, Wagner 2016, arXiv 1608.04644; there, 9 rounds of 10,000 steps in tanh variables (preset). Published means of the best, average
    and worst target: MNIST 1.36, 1.76, 2.60 and CIFAR-10 .17, .33, .51 at 100 % success (from memory, unconfirmed). Deviations by default:
    the image itself is optimised and clamped (pixels at exactly 0 or 1 hardly move in tanh variables); the step size falls to 0 along a
    cosine; distances are measured from the clean image, not from its tanh image; rows stop at a plateau.
    """

    slug: ClassVar[str] = "cw-l2"
    title: ClassVar[str] = "Carlini & Wagner L2"
    family: ClassVar[str] = "Minimal norm"
    paper: ClassVar[str] = "Carlini, Wagner 2016, arXiv 1608.04644"
    norms: ClassVar[tuple[Norm, ...]] = ("l2",)
    raises: ClassVar[str] = "margin"
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "as in the paper",
            {
                "rounds": 9,
                "steps": 10_000,
                "step_size": 0.01,
                "schedule": "constant",
                "constant": 1e-3,
                "parametrisation": "tanh",
                "boundary_steps": 0,
            },
        ),
        Preset("to convergence", {"rounds": 6, "steps": 400}),
        Preset("constants side by side (one image)", {"rounds": 2, "beside": 8}),
    )

    rounds: int = budget(3, ge=1, le=50, unit="constants")
    """Number of constants that every row tries in turn."""
    steps: int = budget(50, ge=1, le=100_000, unit="steps")
    """Steps of Adam for each constant."""
    step_size: Number | None = method(None, gt=0, none="from the first gradient", unit="of [0, 1]")
    """Adam's step size, about the largest movement of a pixel in one step. None: from the first gradient, per image."""
    schedule: Literal["cosine", "constant"] = method("cosine")
    """Schedule of the step size within each round: falling to 0 along a cosine, or constant."""
    constant: Number | None = method(None, gt=0, none="from the first gradient")
    """Initial weight of the penalty. None: from the first gradient, per image."""
    beside: int = method(1, ge=1, le=32, title="constants side by side")
    """Number of constants that are tried together as rows of one batch: for a single image, where a batch costs little more than a row."""
    parametrisation: Parametrisation = method("projected")
    """Optimised variable. projected: the image, clamped after each step. tanh: the paper's variables, which never leave [0, 1] but hardly
    move pixels that are exactly black or white.
    """
    abort: bool = method(True)
    """End a row's round when a tenth of the steps has not lowered the minimum of its objective by a ten-thousandth."""

    @torch.enable_grad()
    def search(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image, then ``rounds`` descents from it at the constants that earlier rounds suggest."""
        look = first_look(problem, self.confidence)
        yield AttackStep(0, self.rounds * self.steps, problem.images, self.confidence - look.missing, look.logits)
        descent = _Descent(self, problem, look)
        constants = Constants(self._first_constants(look), self.beside)
        nearest = torch.full_like(look.missing, torch.inf)
        for number in range(self.rounds if len(descent.hopeful) else 0):
            size = self._size(nearest, look, FeasibleSet(problem).box.inside.flatten(1).sum(1))
            found = yield from descent.round(number, constants.values, size.repeat(self.beside))
            constants.narrow(found.isfinite())
            nearest = nearest.minimum(found.view(self.beside, -1).amin(0))

    def _first_constants(self, look: FirstLook) -> Tensor:
        if self.constant is not None:
            return torch.full_like(look.missing, self.constant)
        suits = 2 * look.missing / look.gradient.flatten(1).square().sum(1).clamp_min(TINY)
        return torch.where(look.hopeful, 2 * _REACH * suits, 1.0)

    def _size(self, nearest: Tensor, look: FirstLook, movable: Tensor) -> Tensor:
        """Return the step size, ``(N,)``: the parameter, or an estimate from the distance reached or from the first gradient."""
        if self.step_size is not None:
            return torch.full_like(nearest, self.step_size)
        size = _REACH * torch.where(nearest.isfinite(), nearest, look.distance("l2")) / movable.sqrt()
        return 2 * size if self.parametrisation == "tanh" else size  # tanh halves a step in the middle of the range

    def pace(self, number: int) -> float:
        """Return the factor on the step size after ``number`` steps of a round."""
        return 1.0 if self.schedule == "constant" else cosine(1.0, 0.0, number + 1, self.steps)

    def one_of_each(self, step: AttackStep, problem: Problem) -> AttackStep:
        """Select for each image, among its constants, the nearest image that is adversarial enough, or else the largest loss."""
        if self.beside == 1:
            return step
        assert step.logits is not None
        n = len(problem.images)
        distance = self.distance(step.adversarial - problem.images.repeat(self.beside, 1, 1, 1)).view(-1, n)
        loss = step.loss.view(-1, n).nan_to_num(-torch.inf)
        found = self.found(problem.repeat(self.beside), step.logits, step.loss).view(-1, n)
        rows = best_of(found, torch.where(found, -distance, loss)) * n + torch.arange(n, device=loss.device)
        return AttackStep(step.index, step.total, step.adversarial[rows], step.loss[rows], step.logits[rows])


class _Descent:
    """Descent by Adam on ``distance^2 + constant * max(confidence - lead, 0)`` from the clean images; rows leave at a plateau.

    The paper's hinge is ``max(-lead, -confidence)``: the same plus a constant.
    """

    def __init__(self, attack: CarliniWagnerL2, problem: Problem, look: FirstLook) -> None:
        self._attack, self._each = attack, problem
        rows, beside = problem.repeat(attack.beside), attack.beside
        self._active = ActiveRows(rows)
        self._whole = AttackStep(0, None, rows.images, attack.confidence - look.missing.repeat(beside), look.logits.repeat(beside, 1))
        self.hopeful = look.hopeful.repeat(beside).nonzero().flatten()
        """The rows with which every round starts."""

    @torch.enable_grad()
    def round(self, number: int, constants: Tensor, sizes: Tensor) -> Generator[AttackStep, None, Tensor]:
        """Yield every iterate of round ``number``; return each row's smallest distance, or infinity, ``(beside * N,)``."""
        attack, active = self._attack, self._active
        active.work_on(self.hopeful)
        constant, size = constants[active.rows], sizes[active.rows]
        space = _Space(FeasibleSet(active.problem).box, attack.parametrisation)
        nearest = torch.full_like(constants, torch.inf)
        before = lowest = torch.full_like(constant, torch.inf)
        variable = space.enter(active.problem.images)
        adam = Adam(variable)
        for made in range(attack.steps):
            variable.requires_grad_()
            images = space.image(variable)
            logits = active.problem.classifier(images)
            leads = lead(logits, active.problem)
            squared = (images - active.problem.images).square().flatten(1).sum(1)
            objective = squared + constant * (attack.confidence - leads).clamp_min(0)
            gradient = active.problem.classifier.gradient(objective.sum(), variable)
            nearest = self._nearer(nearest, squared.detach(), leads.detach(), logits.detach())
            yield self._step(1 + number * attack.steps + made, images.detach(), leads.detach(), logits.detach())
            variable = space.moved(variable, column(size * attack.pace(made), variable) * adam(gradient))
            lowest = lowest.minimum(objective.detach())
            if attack.abort and (made + 1) % max(1, attack.steps // 10) == 0:
                left = active.drop(~(lowest < before * (1 - _PLATEAU)))
                before = lowest
                if not len(active):
                    break
                if left is not None:
                    constant, size, variable, before, lowest = constant[left], size[left], variable[left], before[left], lowest[left]
                    space = _Space(FeasibleSet(active.problem).box, attack.parametrisation)
                    adam.select(left)
        return nearest

    def _step(self, index: int, images: Tensor, leads: Tensor, logits: Tensor) -> AttackStep:
        """Return the iterate of every image as a step, with the same index for a row whenever the others end a round."""
        total = self._attack.rounds * self._attack.steps
        self._whole = self._active.spread(AttackStep(index, total, images, leads, logits), self._whole)
        return self._attack.one_of_each(self._whole, self._each)

    @torch.no_grad()
    def _nearer(self, nearest: Tensor, squared: Tensor, leads: Tensor, logits: Tensor) -> Tensor:
        """Return ``nearest``, updated by these iterates of the active rows."""
        length = torch.where(self._attack.found(self._active.problem, logits, leads), squared.sqrt(), torch.inf)
        return self._active.filled(nearest, nearest[self._active.rows].minimum(length))


@dataclass(frozen=True, eq=False)
class _Space:
    """Space of the variable: the image, clamped after each step, or ``w`` of ``low + (high - low) * (tanh(w) + 1) / 2``."""

    box: Box
    parametrisation: Parametrisation

    def enter(self, images: Tensor) -> Tensor:
        """Return the variable of an image."""
        if self.parametrisation == "projected":
            return images.clone()
        inside = 2 * (images - self.box.low) / (self.box.high - self.box.low).clamp_min(TINY) - 1
        return torch.atanh(inside.clamp(-1, 1) * _SHRINK)

    def image(self, variable: Tensor) -> Tensor:
        """Return the image of a variable; where the box is a point, the clean image's own bits."""
        if self.parametrisation == "projected":
            return variable
        return self.box.low + (self.box.high - self.box.low) * ((variable.tanh() + 1) / 2)

    @torch.no_grad()
    def moved(self, variable: Tensor, step: Tensor) -> Tensor:
        """Move a variable by a step downhill."""
        variable = variable - step
        return self.box.clamp(variable) if self.parametrisation == "projected" else variable
