"""Targeted attack with a proximity term: the loss towards the target plus a weight times the distance from the original."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.artifacts import Artifact, Axis, Curve, Unit
from engine.attacks.toolkit.adam import Adam
from engine.attacks.toolkit.lecture_loss import TowardsLoss, distance_to, lowered_loss, target_probability
from engine.balls import BALLS, TINY, Norm, column
from engine.batching import rows_with_graph
from engine.errors import WrongField
from engine.operation import Attack, AttackStep, Problem, Step, Use
from engine.parameters import CHOICES, Preset, budget, method, result
from engine.ranking import beats
from engine.text.parsing import Number

_LONGEST = 1.0
"""Largest length in L2 of one step of automatic size along the gradient alone."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ProximityStep(AttackStep):
    """One iterate, with the best values for every weight of the curve so far."""

    distances: Tensor
    """Distances (L1 or L2) of the best iterates by weight and image, ``(L, N)``."""
    probabilities: Tensor
    """Probabilities of the target by weight and image, ``(L, N)``."""
    successes: Tensor
    """Successes by weight and image, ``(L, N)`` bool."""


class Proximity(Attack):
    """Minimise the loss towards the target plus ``weight`` times the distance from the original.

    ``min_delta loss(logits(images + mask * delta), target) + weight * D(delta)`` with ``D = ||delta||_1`` or ``||delta||_2^2``, their sums
    over the pixels or, as in the lecture's code, their means. Every step descends the gradient of the loss alone and then takes the
    proximal step of the distance, so that useless pixels are exactly 0 in l1, where the subgradient would make them oscillate: ``delta <-
    soft(delta - step_size * gradient, step_size * weight)`` in l1, ``(delta - step_size * gradient) / (1 + 2 * step_size * weight)`` in l2
    (means: ``weight / (C * H * W)``), then ``clamp(images + delta, 0, 1)``. Unless ``step_size`` is given, descent shortens it where the
    gradient alone would go farther than 1 in L2: on a photograph it would overshoot by the whole range, and the distance takes thousands of
    steps to correct it. With Adam ``step_size`` is that of each value. ``steps + 1`` forward passes and ``steps`` backward passes;
    ``curve`` weights more run as rows of the same batch.

    The successful iterate with the smallest sum is kept. S. Wang's lecture on adversarial examples; its ancestor: Szegedy et al. 2013,
    arXiv 1312.6199; their lambda is ``weight``. The lecture states neither optimiser nor number of steps: descent and 200 are our choice.
    Its swapped loss (``prob_linear``) has next to no gradient where the classifier is sure of the label, and then does not move.
    """

    slug: ClassVar[str] = "proximity"
    title: ClassVar[str] = "Targeted with proximity"
    family: ClassVar[str] = "Gradient, iterative"
    paper: ClassVar[str] = "lecture of S. Wang; Szegedy et al. 2013, arXiv 1312.6199"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"target probability": "share"})
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask"})
    needs: ClassVar[frozenset[Use]] = frozenset({"targets"})
    norms: ClassVar[tuple[Norm, ...]] = ("l1", "l2")
    raises: ClassVar[str] = "−(loss + weighted distance)"
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Wang's lecture: its code, L1", {"loss": "prob_linear"}),
        Preset("Wang's lecture: its formula, L2", {"norm": "l2"}),
    )

    norm: Literal["l1", "l2"] = budget("l1")
    """Distance to the original: l1 is the sum of magnitudes and leaves most pixels unchanged, l2 the sum of squares."""
    weight: Number = budget(30.0, title="weight of the distance", ge=0, unit="times the distance")
    """Weight of the distance, the lecture's lambda. 0: none, and only [0, 1] bounds the image."""
    reduction: Literal["mean", "sum"] = budget("mean")
    """Reduction of the distance. mean: over all values, as in the lecture's code, where 30 is 0.0383 of the sum at 28 x 28. sum: the norm
    itself, as in its formula.
    """
    steps: int = budget(200, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    loss: TowardsLoss = method("ce")
    """Loss to minimise. ce: cross-entropy of the target. prob_linear: the lecture's, (15.942 + 16.118) / K * (1 - probability of the
    target).
    """
    optimizer: Literal["descent", "adam"] = method("descent")
    """Optimiser of the descent. descent: plain gradient descent. adam: a step size for every value, for models whose gradients are far from
    1.
    """
    step_size: Number | None = method(None, gt=0, none="0.5 for descent, 0.02 for Adam", automatic="length")
    """Factor on the gradient. None: 0.5 for descent, less where a step would be longer than 1 in L2; 0.02 for adam."""
    curve: int = result(0, ge=0, le=64, title="weights of the curve")
    """Number of further weights, from a hundredth of this one to ten times it, for the curve of distance and probability of the target
    against the weight. 0: none.
    """

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.curve and not self.weight:
            raise WrongField("weight", "0 leaves the curve no weights to spread around it. Give a weight, or set curve to 0.")
        return self

    @property
    def length(self) -> float:
        """The step size in use: the parameter, or its default."""
        if self.step_size is not None:
            return self.step_size
        return 0.5 if self.optimizer == "descent" else 0.02

    @property
    def weights(self) -> list[float]:
        """Return the weight, then those of the curve."""
        span = [-2 + 3 * k / max(self.curve - 1, 1) for k in range(self.curve)]
        return [self.weight, *(self.weight * 10**power for power in span)]

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as iterate 0, and the image after k steps as iterate k."""
        rows = problem.repeat(1 + self.curve)
        assert rows.targets is not None
        weights = self._scaled(rows)
        delta, best = torch.zeros_like(rows.images), _BestOfCurve(self, problem)
        update = (
            _Descent(self.length, _LONGEST if self.step_size is None else torch.inf)
            if self.optimizer == "descent"
            else _PerValue(self.length, delta)
        )
        for index in range(self.steps + 1):
            images = rows.compose(delta)
            logits, extra, gradient = self._look(rows, images, index < self.steps)
            loss = extra - distance_to(self.loss, logits, rows.targets) - weights * self._distance(delta)
            yield self._step(index, images, delta, logits, loss, problem, best)
            if index < self.steps:
                delta = self._update(delta, gradient, weights, update, rows)

    def _look(self, rows: Problem, images: Tensor, gradient: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, the objective, and the gradient of the loss without the distance.

        The rows of the curve are evaluated in chunks where they exceed the memory.
        """
        assert rows.targets is not None
        size = len(images) if rows.objective is not None else rows_with_graph(images, rows.classifier.copies)
        seen = []
        for part in (slice(first, first + size) for first in range(0, len(images), size)):
            pixels, targets = images[part].detach().requires_grad_(gradient), rows.targets[part]
            logits = rows.classifier(pixels)
            extra = logits.new_zeros(len(logits)) if rows.objective is None else rows.objective(pixels)
            lowered = lowered_loss(self.loss, logits, targets) - extra
            slope = rows.classifier.gradient(lowered.sum(), pixels) if gradient else pixels
            seen.append((logits.detach(), extra.detach(), slope.detach()))
        joined = [parts[0] if len(parts) == 1 else torch.cat(parts) for parts in zip(*seen, strict=True)]
        return joined[0], joined[1], joined[2]

    @torch.no_grad()
    def _step(
        self, index: int, images: Tensor, delta: Tensor, logits: Tensor, loss: Tensor, problem: Problem, best: _BestOfCurve
    ) -> ProximityStep:
        assert problem.targets is not None
        n = len(problem.images)
        best.keep(delta, logits, loss)
        probability = target_probability(logits[:n], problem.targets).mean()
        return ProximityStep(
            index,
            self.steps,
            problem.images if index == 0 else images[:n],
            loss[:n],
            logits[:n],
            distances=best.distances,
            probabilities=best.probabilities,
            successes=best.successes,
            readings={"target probability": probability},
        )

    def _scaled(self, rows: Problem) -> Tensor:
        """Return the weight of every row as a factor of the sum over all values."""
        n = len(rows.images) // (1 + self.curve)
        weights = torch.tensor(self.weights, device=rows.images.device, dtype=rows.images.dtype).repeat_interleave(n)
        return weights / rows.images[0].numel() if self.reduction == "mean" else weights

    def _distance(self, delta: Tensor) -> Tensor:
        size = BALLS[self.norm](1.0).size(delta)
        return size if self.norm == "l1" else size**2

    @torch.no_grad()
    def _update(self, delta: Tensor, gradient: Tensor, weights: Tensor, update: _Descent | _PerValue, rows: Problem) -> Tensor:
        step, lengths = update(gradient if rows.mask is None else gradient * rows.mask)
        shrink = lengths * column(weights, delta)
        delta = delta - step
        if self.norm == "l1":
            delta = delta.sign() * (delta.abs() - shrink).clamp_min(0)
        else:
            delta = delta / (1 + 2 * shrink)
        # Values that did not move keep the image's own bits.
        return torch.where(delta == 0, 0.0, (rows.images + delta).clamp(0, 1) - rows.images)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return ``distance`` and ``probability`` of the target against the weight, medians over the images, and the share of successes."""
        assert isinstance(last, ProximityStep)
        if not self.curve:
            return {}
        order = sorted(range(1 + self.curve), key=lambda place: self.weights[place])
        x = torch.tensor([self.weights[place] for place in order])
        distances, probabilities, successes = (
            values.cpu().double()[order] for values in (last.distances, last.probabilities, last.successes)
        )
        name, label = CHOICES[self.norm], f"weight ({self.reduction})"
        shares = {"probability of the target": probabilities.median(1).values, "success": successes.mean(1)}
        return {
            "distance": Curve(x, {name: distances.median(1).values}, f"{name} distance against weight", Axis(label), Axis(name)),
            "probability": Curve(x, shares, "The target against weight", Axis(label), Axis("share", "share")),
        }


class _BestOfCurve:
    """Keeper of the successful iterate with the smallest sum for each weight and image: its distance and the target's probability."""

    def __init__(self, attack: Proximity, problem: Problem) -> None:
        shape = (1 + attack.curve, len(problem.images))
        self._ball, self._problem, self._shape = BALLS[attack.norm](1.0), problem, shape
        self._loss = torch.full(shape, -torch.inf, device=problem.images.device, dtype=problem.images.dtype)
        self.distances = torch.zeros_like(self._loss)
        self.probabilities = torch.zeros_like(self._loss)
        self.successes = torch.zeros(shape, dtype=torch.bool, device=problem.images.device)

    def keep(self, delta: Tensor, logits: Tensor, loss: Tensor) -> None:
        """Keep the values of better iterates."""
        assert self._problem.targets is not None
        targets = self._problem.targets.repeat(self._shape[0])
        success = self._problem.succeeds(logits.view(*self._shape, -1))
        loss = loss.view(self._shape)
        better = beats(success, loss, self.successes, self._loss)
        self._loss = torch.where(better, loss, self._loss)
        self.distances = torch.where(better, self._ball.size(delta).view(self._shape), self.distances)
        self.probabilities = torch.where(better, target_probability(logits, targets).view(self._shape), self.probabilities)
        self.successes = self.successes | success


class _Descent:
    """Plain descent: the gradient times the step size, one for each image."""

    def __init__(self, length: float, longest: float) -> None:
        self._length, self._longest = length, longest

    def __call__(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        size = torch.linalg.vector_norm(gradient, dim=(1, 2, 3), keepdim=True).clamp_min(TINY)
        lengths = (self._longest / size).clamp_max(self._length)
        return lengths * gradient, lengths


class _PerValue:
    """Adam's step, with a step size for every value, which the proximal step must use, too."""

    def __init__(self, length: float, like: Tensor) -> None:
        self._length, self._adam = length, Adam(like, tiny=TINY)

    def __call__(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        mean, size = self._adam.moments(gradient)
        lengths = self._length / size
        # Where no gradient has ever been, the distance alone decides: the value stays at 0, without 0 * inf.
        return lengths * mean, lengths
