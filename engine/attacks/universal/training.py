"""Training of a universal perturbation: the data, the updates, and the measured fooling rates."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.access import ModelAccess
from engine.attacks.toolkit.data_split import needed, split
from engine.attacks.toolkit.losses import value
from engine.attacks.toolkit.planes import Planes, leads, step_across
from engine.attacks.toolkit.target_classes import likeliest_others
from engine.balls import Ball, Linf
from engine.batching import rows_per_pass
from engine.errors import GibbonError
from engine.operation import AttackStep, Problem

_WHAT = "A universal perturbation"


@dataclass(frozen=True, eq=False)
class Learned:
    """State of the perturbation at a step."""

    applied: Tensor
    """The perturbation ``mask * v`` that is added to every image, ``(1, C, H, W)``."""
    indices: tuple[int, ...] = ()
    """Indices of the steps after which the rates were measured."""
    learning_rates: tuple[float, ...] = ()
    held_out_rates: tuple[float, ...] = ()
    before: Tensor | None = None
    """Predictions of the clean held-out images, ``(held out,)``."""
    after: Tensor | None = None
    """Predictions of the same images with the perturbation, at the last measurement."""


@dataclass(frozen=True, eq=False)
class UniversalStep(AttackStep):
    """A step with the perturbation so far, added to the images of the problem."""

    learned: Learned = field(kw_only=True)


class Course:
    """Training of a perturbation, from data to the best one."""

    def __init__(self, problem: Problem, ball: Ball, count: int, held_out: int) -> None:
        self._problem, self._ball, self._model = problem, ball, problem.classifier
        self._random = problem.random.shared("universal")
        self._data = needed(problem.data, _WHAT)
        self._learning, self._held = split(self._data, self._model.input_shape, count, held_out, self._random, _WHAT)
        self._mask = self._one_mask()
        self.v = torch.zeros_like(problem.images[:1])
        self._learned = Learned(self.v)
        self._best: tuple[float, Tensor, Learned] | None = None
        self._index, self._queue, self._recent = -1, torch.empty(0, dtype=torch.int64), list[Tensor]()
        self._shown: tuple[Tensor, Tensor, Tensor] | None = None
        self._total: int | None = None
        self.rate = 0.0
        """Fooling rate on the training images at the last measurement."""

    # ------------------------------------------------------------------ the data

    @property
    def count(self) -> int:
        """The number of images that the perturbation is trained on."""
        return len(self._learning)

    def _one_mask(self) -> Tensor | None:
        mask = self._problem.mask
        if mask is None or bool((mask == mask[:1]).all()):
            return None if mask is None else mask[:1]
        raise GibbonError("A universal perturbation is one for all images, so it takes one mask for all. Give a single mask.")

    def _images(self, indices: Tensor) -> Tensor:
        return self._data.batch(indices)[0].to(self._problem.images)

    def with_perturbation(self, images: Tensor) -> Tensor:
        """Return ``clamp(images + mask * v, 0, 1)``, the perturbed images."""
        return (images + (self.v if self._mask is None else self._mask * self.v)).clamp(0, 1)

    # ------------------------------------------------------------------ steps

    def step(self) -> UniversalStep:
        """Return the next step with the present state."""
        self._index += 1
        if self._shown is None:
            images = self._problem.compose(self.v) if self._index else self._problem.images
            logits = self._model.verdict(images)
            self._shown = images, value("ce", logits, self._problem.labels, None), logits
        images, loss, logits = self._shown
        readings = {name: torch.tensor(rates[-1]) for name, rates in self._rates().items() if rates}
        if self._recent:
            readings["fooling rate"] = torch.stack(self._recent).mean()
        return UniversalStep(self._index, self._total, images, loss, logits, readings=readings, learned=self._learned)

    def _rates(self) -> dict[str, tuple[float, ...]]:
        return {"fooling rate": self._learned.learning_rates, "held-out fooling rate": self._learned.held_out_rates}

    def begin(self, steps: int, measures: int, whole: bool = False) -> Iterator[UniversalStep]:
        """Yield steps while the clean images and the data set are predicted; ``steps`` and ``measures`` announce the rest."""
        learning, held = (math.ceil(len(part) / rows_per_pass(self._problem.images)) for part in (self._learning, self._held))
        self._total = learning + held + steps + measures * (held + whole * learning) + 1
        yield self.step()
        self._before_learning = yield from self._predictions(self._learning)
        before = yield from self._predictions(self._held)
        self._learned = replace(self._learned, before=before)

    def _predictions(self, indices: Tensor) -> Generator[UniversalStep, None, Tensor]:
        found = []
        for some in torch.split(indices, rows_per_pass(self._problem.images)):
            with torch.no_grad():
                found.append(self._model(self.with_perturbation(self._images(some))).argmax(1))
            yield self.step()
        return torch.cat(found)

    def measure(self, whole: bool = False) -> Iterator[UniversalStep]:
        """Measure the rate on the held-out images; that of the training images is of the latest batches, or of the ``whole`` set."""
        after = yield from self._predictions(self._held)
        if whole:
            learning = yield from self._predictions(self._learning)
            self.rate = float((learning != self._before_learning).float().mean())
        else:
            self.rate = float(torch.stack(self._recent).mean())
        known = self._learned
        assert known.before is not None
        held = float((after != known.before).float().mean())
        self._learned = replace(
            known,
            indices=(*known.indices, self._index),
            learning_rates=(*known.learning_rates, self.rate),
            held_out_rates=(*known.held_out_rates, held),
            after=after,
        )
        if self._best is None or self.rate >= self._best[0]:
            self._best = self.rate, self.v, self._learned

    def end(self) -> UniversalStep:
        """Return a step with the best measured perturbation."""
        if self._best is not None:
            _, self.v, best = self._best
            self._learned = replace(self._learned, applied=best.applied, after=best.after)
            self._shown = None
        return self.step()

    def _update(self, v: Tensor) -> None:
        inside = v if self._mask is None else v * (self._mask > 0)
        self.v = self._ball.project(inside).detach()
        self._learned = replace(self._learned, applied=self.v if self._mask is None else self._mask * self.v)
        self._shown = None

    # ------------------------------------------------------------------ mini-batch

    def ascend(self, batch_size: int, length: float, cap: float) -> UniversalStep:
        """Take one ascent step on a batch."""
        chosen = self._next(min(batch_size, len(self._learning)))
        clean = self._before_learning[chosen.to(self._before_learning.device)]
        images = self.with_perturbation(self._images(self._learning[chosen]))

        def chunk_of(part: slice) -> tuple[Tensor, Tensor]:
            some = images[part].requires_grad_()
            logits = self._model(some)
            loss = F.cross_entropy(logits, clean[part], reduction="none").clamp_max(cap)
            return self._model.gradient(loss.sum(), some).sum(0, keepdim=True), logits.detach().argmax(1) != clean[part]

        gradients, flips = zip(*self._model.in_chunks(len(images), chunk_of), strict=True)
        gradient = gradients[0] if len(gradients) == 1 else torch.stack(gradients).sum(0)
        fooled = torch.cat(flips).float().mean()
        self._recent = [*self._recent, fooled][-max(1, round(len(self._learning) / len(chosen))) :]  # the batches of about one pass
        self._update(self.v + length * self._ball.steepest(gradient if self._mask is None else gradient * self._mask))
        return self.step()

    def _next(self, size: int) -> Tensor:
        if len(self._queue) < size:
            self._queue = torch.cat([self._queue, torch.randperm(len(self._learning), generator=self._random)])
        chosen, self._queue = self._queue[:size], self._queue[size:]
        return chosen

    # ------------------------------------------------------------------ paper

    def shuffled(self) -> list[int]:
        """Return the positions of the training images in a new order."""
        positions: list[int] = torch.randperm(len(self._learning), generator=self._random).tolist()
        return positions

    def deepfool(self, position: int, steps: int, overshoot: float, classes: int) -> UniversalStep:
        """Move one image across its nearest boundary unless it is beyond it, and update ``v`` with that step."""
        start = self.with_perturbation(self._images(self._learning[position : position + 1]))
        found = across(self._model, start, int(self._before_learning[position]), self._ball, self._mask, steps, overshoot, classes)
        if found is not None:
            self._update(self.v + found)
        return self.step()


def across(
    model: ModelAccess, start: Tensor, label: int, ball: Ball, mask: Tensor | None, steps: int, overshoot: float, classes: int
) -> Tensor | None:
    """Run DeepFool from ``start`` ``(1, C, H, W)``: return the perturbation that changes ``label``; None where none is needed or found.

    Each step crosses the nearest linearised boundary to the classes with the largest logits at the start. The gradients of all classes come
    from one forward pass.
    """
    own = torch.full((1,), label, device=start.device)
    everywhere = torch.full_like(start.flatten(1), torch.inf)
    moved, rivals = torch.zeros_like(start), None
    for number in range(steps + 1):
        image = (start + (1 + overshoot) * moved).clamp(0, 1).requires_grad_()
        logits = model(image)
        if int(logits.argmax()) != label:
            return (1 + overshoot) * moved if number else None
        if number == steps:
            break
        if rivals is None:
            rivals = likeliest_others(logits, own, classes - 1)
        slopes, gaps = Planes.of(model, leads(logits, own, rivals), image)
        planes = Planes(slopes if mask is None else mask * slopes, gaps)
        moved = moved + step_across(planes, -everywhere, everywhere, "linf" if isinstance(ball, Linf) else "l2", rounds=0)[0]
    return None
