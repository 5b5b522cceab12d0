"""DPatch: a patch beside the objects that keeps a detector from finding them, or makes it see a class at the patch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Unit
from engine.object_detection.boxes import Boxes
from engine.object_detection.patching import boxes_at, check_fits, cut_out, pasted
from engine.object_detection.problem import DetectorOperation, DetectorProblem, PatchStep
from engine.operation import Step
from engine.parameters import Preset, budget, method, result
from engine.text.parsing import Number

_LEVELS = 256


class DPatch(DetectorOperation):
    """Optimise one patch for a set of images by steps along the gradient of the detector's loss.

    With A(x, P) for image x under patch P, untargeted: ``P <- clamp(P + step_size * sign(sum of gradients of loss(A(x, P), truths)))``;
    targeted, ``P <- clamp(P - step_size * sign(...))`` with a single box as truth, the patch's own with the class to be seen. Only pixels
    of the patch change, so an object that the patch does not cover is hidden by what the patch adds elsewhere.
    """

    slug: ClassVar[str] = "dpatch"
    title: ClassVar[str] = "DPatch"
    also: ClassVar[tuple[str, ...]] = ("adversarial patch on object detectors",)
    family: ClassVar[str] = "Detectors"
    paper: ClassVar[str] = "Liu et al. 2018, arXiv 1806.02299"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"AP": "share", "seen as the target": "share"})
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset(
            "adversarial-robustness-toolbox's defaults: 40 pixels, steps of 5/255, a place for each image",
            {"size": 40, "step_size": 5 / 255, "steps": 500, "where": "once"},
        ),
        Preset(
            "The authors' code for YOLO: 120 pixels, the plain gradient, all boxes relabelled",
            {"size": 120, "step_size": 0.01, "direction": "gradient", "wanted": "relabelled"},
            frozenset({"targets"}),
        ),
    )

    size: int = budget(40, ge=1, le=4096, unit="pixels")
    """Side of the square patch."""
    steps: int = budget(200, ge=1, le=100_000, unit="steps")
    """Number of steps."""
    step_size: Number = budget(5 / 255, gt=0, le=1, unit="of [0, 1]")
    """Length of one step in pixel units."""
    where: Literal["fixed", "once", "each step"] = method("fixed", choices={"once": "drawn once", "each step": "drawn at each step"})
    """Place of the patch. fixed: at left and top. once: drawn for each image. each step: drawn for each image at each step; it is judged
    at places drawn once.
    """
    left: int = method(0, ge=0, unit="pixels", when={"where": "fixed"})
    """Column of the patch's left edge."""
    top: int = method(0, ge=0, unit="pixels", when={"where": "fixed"})
    """Row of the patch's top edge."""
    direction: Literal["sign", "gradient"] = method("sign")
    """Direction of a step. sign: the gradient's sign. gradient: the gradient itself."""
    begin: Literal["random", "grey"] = method("random")
    """Initial patch: random 8-bit colours, or middle grey."""
    wanted: Literal["patch", "relabelled"] = method("patch", choices={"patch": "the patch's box", "relabelled": "all boxes, relabelled"})
    """Boxes that a targeted attack wants to be found. patch: one, around the patch. relabelled: all true boxes, as the target class."""
    images_per_step: int | None = method(None, ge=1, unit="images", none="all")
    """Number of images whose gradients a step adds up, which take turns. None: all of them."""
    measure_every: int = result(10, ge=1, unit="steps")
    """Number of steps after which the detector looks at all images again; the best patch is chosen among those it has looked at."""
    least_score: float = result(0.5, ge=0, le=1)
    """Score from which a clean detection counts as a true box where none are given, and from which the target class counts as seen."""

    def iterate(self, problem: DetectorProblem) -> Iterator[Step]:
        """Yield the initial patch as iterate 0, and the patch after k steps as iterate k."""
        count = len(problem.images)
        patch, places, sign = self._start(problem), self.places(problem), 1.0 if problem.target is None else -1.0
        for index in range(self.steps + 1):
            if self.where == "each step" and index:
                places = self._drawn(problem)
            rows = torch.arange(count).roll(-index * (self.images_per_step or count))[: self.images_per_step or count]
            gradient, total = torch.zeros_like(patch), torch.zeros((), device=patch.device)
            for part in torch.split(rows, problem.detector.detector.rows_with_gradient):
                loss, slope = self._gradient(problem, patch, places, part)
                gradient, total = gradient + slope, total + loss
                if part[-1] != rows[-1]:
                    yield Step(index, self.steps, news="gradients of the images")
            yield PatchStep(index, self.steps, patch=patch, loss=sign * total / len(rows))
            if index < self.steps:
                move = gradient.sign() if self.direction == "sign" else gradient
                patch = (patch + sign * self.step_size * move).clamp(0, 1)

    def check(self, height: int, width: int) -> None:
        """Refuse images of this size, in pixels, where the patch does not fit into them at its place."""
        check_fits((self.size, self.size), *self._corner(), (height, width))

    def places(self, problem: DetectorProblem) -> Tensor:
        """Return the left and top ``(N, 2)`` at which the patch is judged: the given place, or places drawn once from the seed."""
        if self.where == "fixed":
            return torch.tensor([self._corner()], device=problem.images.device).expand(len(problem.images), 2)
        drawn = DetectorProblem(problem.detector, problem.images, problem.truths, problem.random.anew())
        return self._drawn(drawn)

    def is_measured(self, index: int) -> bool:
        """Return whether the iterate of this number is judged: each `measure_every`-th and the last."""
        return index % self.measure_every == 0 or index == self.steps

    def _corner(self) -> tuple[int, int]:
        return (self.left, self.top) if self.where == "fixed" else (0, 0)

    def _drawn(self, problem: DetectorProblem) -> Tensor:
        height, width = problem.images.shape[2:]
        columns, rows = (problem.random.integers(side - self.size + 1) for side in (width, height))
        return torch.stack([columns, rows], 1)

    def _start(self, problem: DetectorProblem) -> Tensor:
        shape = (problem.images.shape[1], self.size, self.size)
        if self.begin == "grey":
            return torch.full(shape, 0.5, device=problem.images.device)
        levels = torch.randint(_LEVELS, shape, generator=problem.random.shared("patch"))
        return (levels.float() / (_LEVELS - 1)).to(problem.images.device)

    def _gradient(self, problem: DetectorProblem, patch: Tensor, places: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses of these images, and of their gradients with respect to the patch."""
        at = places[rows.to(places.device)]
        images = pasted(problem.images[rows.to(patch.device)], patch, at)
        loss, slope = problem.detector.loss_and_gradient(images, self._truths(problem, at, rows))
        return loss.sum(), cut_out(slope, (self.size, self.size), at).sum(0)

    def _truths(self, problem: DetectorProblem, places: Tensor, rows: Tensor) -> list[Boxes]:
        own = [problem.truths[row] for row in rows.tolist()]
        if problem.target is None:
            return own
        if self.wanted == "patch":
            return boxes_at(places, (self.size, self.size), problem.target)
        return [boxes.relabelled(problem.target) for boxes in own]
