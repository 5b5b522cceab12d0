"""Hard samples: how many steps, and how large a change, it takes until an image's prediction flips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Artifact, Axis, Curve, Table, Unit
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.evaluation import loss_and_gradient
from engine.batching import rows_per_pass
from engine.evaluate.given_data import of_data
from engine.operation import Operation, Problem, Step, Use
from engine.parameters import budget, method
from engine.result import norms
from engine.text.parsing import Number

_LOOK_EVERY = 4
"""Steps between two looks at which rows have flipped, since each look waits for the device."""

_SHARE = 2
"""Part of the rows of a forward pass that is taken at once: with its gradient a row takes three times as long."""


@dataclass(frozen=True, eq=False)
class HardSamplesStep(Step):
    """The images measured so far; those of the chunk in progress count as not flipped until they flip."""

    steps: Tensor
    """Step at which the prediction was first wrong, ``(N,)``; 0: wrong already, ``steps + 1``: not within the budget, -1: not measured."""
    l2: Tensor
    """L2 norm of the perturbation at that step, ``(N,)``; 0 where the prediction was wrong already, infinite where it did not flip."""
    linf: Tensor
    """L∞ norm, likewise."""
    labels: Tensor
    """Classes ``(N,)`` that the images have."""
    predictions: Tensor
    """Predicted classes ``(N,)`` of the unchanged images; -1: not measured."""


class HardSamples(Operation):
    """Count the steps that it takes to change the prediction of each image: few steps mean that the decision boundary is near.

    ``image <- clamp(image + step_size * direction(gradient), 0, 1)`` with the gradient of the margin away from the label, without any
    ball, until the prediction is wrong. Images that are misread as they are need 0 steps; those that hold out need ``steps + 1``. Images
    with few steps are the hard ones, on which the classifier is least certain: wrong labels and odd images are among them.

    Horváth 2020, “Adversarial samples in machine learning”, on harnessing hard samples.
    """

    slug: ClassVar[str] = "hard-samples"
    title: ClassVar[str] = "Hard samples"
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Horváth 2020, lecture"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "data"})
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"share flipped": "share"})

    steps: int = budget(100, ge=1, le=10_000, unit="steps")
    """Steps after which an image counts as not flipped."""
    step_size: Number = budget(1 / 255, gt=0, le=1, unit="pixel")
    """Length of a step: the largest change of a value. The smaller it is, the finer is the order of the images."""
    direction: Literal["sign", "max"] = method("sign")
    """Direction of a step. sign: every value moves by step_size. max: in proportion to the gradient, the largest by step_size."""

    def iterate(self, problem: Problem) -> Iterator[HardSamplesStep]:
        """Measure the images of the data set or, without one, the problem's own, chunk by chunk; one step of a chunk at a time."""
        problem = of_data(problem)
        count, size, index = len(problem.images), max(1, rows_per_pass(problem.images) // _SHARE), 0
        state = _nothing(problem)
        for first in range(0, count, size):
            rows = torch.arange(first, min(first + size, count), device=problem.images.device)
            for made, seen in enumerate(self._chunk(problem.select(rows), rows, state)):
                done = (first + len(rows) * min(1.0, made / self.steps)) / count
                flipped = (seen.steps[: first + len(rows)] <= self.steps).double().mean()
                news = f"images {first + 1:,} to {first + len(rows):,} of {count:,}"
                state = replace(seen, index=index, news=news, share_done=done, readings={"share flipped": flipped})
                index += 1
                yield state
        yield replace(state, index=index, share_done=1.0, news="")

    @torch.no_grad()
    def _chunk(self, problem: Problem, rows: Tensor, state: HardSamplesStep) -> Iterator[HardSamplesStep]:
        active, images = ActiveRows(problem), problem.images
        for step in range(self.steps + 1):
            seen = loss_and_gradient(active.problem, images, "margin", gradient=step < self.steps)
            predictions = seen.logits.argmax(1)
            state = self._noted(state, rows[active.rows], predictions, active.problem, images, step)
            yield state
            if step == self.steps:
                return
            images = (images + self.step_size * self._direction(seen.gradient)).clamp(0, 1)
            if step % _LOOK_EVERY == 0:
                left = active.drop(state.steps[rows[active.rows]] <= step)
                images = images if left is None else images[left]
                if not len(active):
                    return

    def _noted(
        self, state: HardSamplesStep, rows: Tensor, predictions: Tensor, problem: Problem, images: Tensor, step: int
    ) -> HardSamplesStep:
        """Return the state with the active ``rows`` that flip at this step."""
        known = state.steps[rows]
        known = torch.where(known < 0, self.steps + 1, known)
        flips = (predictions != problem.labels) & (known > self.steps)
        sizes = norms(images - problem.images)
        steps = state.steps.index_copy(0, rows, torch.where(flips, step, known))
        l2, linf = (
            before.index_copy(0, rows, torch.where(flips, sizes[name].to(before), before[rows]))
            for name, before in (("l2", state.l2), ("linf", state.linf))
        )
        first = state.predictions if step else state.predictions.index_copy(0, rows, predictions)
        return replace(state, steps=steps, l2=l2, linf=linf, predictions=first)

    def _direction(self, gradient: Tensor) -> Tensor:
        if self.direction == "sign":
            return gradient.sign()
        most = gradient.abs().flatten(1).amax(1)[:, None, None, None]
        return gradient / torch.where(most > 0, most, 1)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the share of flipped images over the steps, a row for each class, and a row for each image, the hardest first."""
        assert isinstance(last, HardSamplesStep)
        names = problem.classifier.labels
        measured = (last.steps >= 0).nonzero().flatten().cpu()
        steps, l2, linf = (value.cpu()[measured] for value in (last.steps, last.l2.double(), last.linf.double()))
        labels, predictions = last.labels.cpu()[measured], last.predictions.cpu()[measured]
        order = sorted(range(len(measured)), key=lambda row: (int(steps[row]), float(l2[row])))
        rows = [
            (int(measured[row]), names[int(labels[row])], names[int(predictions[row])], int(steps[row]), float(l2[row]), float(linf[row]))
            for row in order
        ]
        over = torch.arange(self.steps + 1)
        share = (steps[:, None] <= over).double().mean(0) if len(measured) else torch.zeros(len(over))
        columns = ("image", "label", "prediction", "steps", "L2", "L∞")
        return {
            "flipped": Curve(
                over, {"flipped": share}, "Share of images that flipped", Axis("step", "step"), Axis("share of images", "share")
            ),
            "classes": Table(("class", "images", "misread", "median steps"), _by_class(names, labels, steps), "Steps to flip by class"),
            "images": Table(columns, tuple(rows), "Images, the hardest first"),
        }


def _nothing(problem: Problem) -> HardSamplesStep:
    """Return the state before any image was measured."""
    count, images = len(problem.images), problem.images
    none = torch.full((count,), -1, device=images.device)
    far = torch.full((count,), torch.inf, device=images.device, dtype=images.dtype)
    return HardSamplesStep(0, None, none, far, far, problem.labels, none)


def _by_class(names: tuple[str, ...], labels: Tensor, steps: Tensor) -> tuple[tuple[str, int, int, float], ...]:
    rows = []
    for number, name in enumerate(names):
        own = steps[labels == number]
        if len(own):
            rows.append((name, len(own), int((own == 0).sum()), float(own.double().quantile(0.5))))
    return tuple(sorted(rows, key=lambda row: row[3]))
