"""The driver of operations on detectors: it checks, seeds, looks at iterates, keeps the best one and measures, as `engine.driver` does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from engine.artifacts import Artifact, Axis, Curve, Lazy, Picture
from engine.checks import checked_seed
from engine.devices import describe, versions
from engine.errors import GibbonError
from engine.object_detection.boxes import Boxes
from engine.object_detection.detector import Detector
from engine.object_detection.patching import boxes_at, pasted
from engine.object_detection.precision import average_precision, precision_table
from engine.object_detection.problem import DetectorAccess, DetectorOperation, DetectorProblem, PatchStep
from engine.object_detection.result import DetectorResult, Look, seen_at
from engine.operation import Step
from engine.pulled import Pulled
from engine.randomness import RowRandom


class DetectorRun(Pulled[Step]):
    """An operation on a detector in progress. To pause is not to pull; ``result()`` is valid once an iterate was looked at."""

    def __init__(self, operation: DetectorOperation, problem: DetectorProblem, seed: int, before: Sequence[Boxes], assumed: bool) -> None:
        self.operation, self.problem, self.seed = operation, problem, seed
        self._before, self._assumed = tuple(before), assumed
        self._places = operation.places(problem)
        self._classes = len(problem.detector.detector.labels)
        self._looks: list[Look] = []
        self._kept: Look | None = None
        self._index = 0
        self._threads = torch.get_num_threads()
        super().__init__(self._all())

    def result(self) -> DetectorResult:
        """Return the best so far, with the reason why the run ended.

        Raises
        ------
        RuntimeError
            No iterate has been looked at yet.
        """
        if self._kept is None:
            raise RuntimeError("The run has looked at no patch yet, so there is no result. Pull more steps.")
        problem, kept = self.problem, self._kept
        before = average_precision(self._before, problem.truths, self._classes)
        return DetectorResult(
            operation=self.operation,
            detector=problem.detector.detector,
            reason=self.reason,
            seconds=self.seconds,
            forwards=problem.detector.forwards,
            backwards=problem.detector.backwards,
            clean=problem.images,
            adversarial=pasted(problem.images, kept.patch, self._places),
            places=self._places,
            truths=problem.truths,
            truths_assumed=self._assumed,
            target=problem.target,
            attacked=problem.attacked,
            before=self._before,
            precision_before=before,
            begun=self._looks[0],
            kept=kept,
            looks=len(self._looks),
            steps_made=self._index,
            artifacts=self._artifacts(kept),
            provenance=Lazy(self._provenance),
        )

    def _all(self) -> Iterator[Step]:
        """Yield the steps of the operation; each iterate with the readings of the last look, and signs of life during a look."""
        for step in self.operation.iterate(self.problem):
            if not isinstance(step, PatchStep):
                yield step
                continue
            if self.operation.is_measured(step.index):
                yield from self._look(step)
            self._index = step.index
            yield replace(step, readings=self._readings(step))

    def _look(self, step: PatchStep) -> Iterator[Step]:
        images, access, found = pasted(self.problem.images, step.patch, self._places), self.problem.detector, list[Boxes]()
        for rows in torch.split(images, access.detector.rows_with_gradient):
            if found:
                yield Step(step.index, step.total, news=f"looking at image {len(found) + 1} of {len(images)}")
            found += access(rows)
        precision = average_precision(found, self.problem.truths, self._classes)
        look = Look(step.index, step.patch, float(step.loss), tuple(found), precision, self._seen(found, step.patch))
        self._looks.append(look)
        if self._kept is None or self._rank(look) > self._rank(self._kept):
            self._kept = look

    def _seen(self, found: Sequence[Boxes], patch: Tensor) -> float | None:
        if self.problem.target is None:
            return None
        there = boxes_at(self._places, (patch.shape[1], patch.shape[2]), self.problem.target)
        least = float(getattr(self.operation, "least_score", 0.5))
        return sum(seen_at(boxes, place, least) for boxes, place in zip(found, there, strict=True)) / len(found)

    def _rank(self, look: Look) -> tuple[float, float]:
        """Return what makes a look better than another: the target seen more often, or a smaller average precision; then the loss."""
        if look.seen is not None:
            return look.seen, look.loss
        value = look.precision.of(self.problem.attacked)
        return -value if not math.isnan(value) else 0.0, look.loss

    def _readings(self, step: PatchStep) -> dict[str, Tensor]:
        last, kept = self._looks[-1], self._kept
        assert kept is not None
        found = {"loss": step.loss, "AP": torch.tensor(last.precision.of(self.problem.attacked))}
        return found if last.seen is None else {**found, "seen as the target": torch.tensor(last.seen)}

    def _artifacts(self, kept: Look) -> Mapping[str, Artifact]:
        before = average_precision(self._before, self.problem.truths, self._classes)
        table = precision_table(before, kept.precision, self.problem.detector.detector.labels)
        at = torch.tensor([float(look.index) for look in self._looks])
        lines = {"AP": torch.tensor([look.precision.of(self.problem.attacked) for look in self._looks])}
        if kept.seen is not None:
            lines["seen as the target"] = torch.tensor([float(look.seen or 0.0) for look in self._looks])
        course = Curve(at, lines, "Average precision during the attack", y_axis=Axis("share of the images", "share"))
        return {"patch": Picture(kept.patch, "Patch"), "precision": table, "course": course}

    def _provenance(self) -> dict[str, Any]:
        detector = self.problem.detector.detector
        return {
            "detector": {"name": detector.name, "source": detector.source, "fingerprint": detector.fingerprint},
            "operation": {"slug": self.operation.slug, "parameters": self.operation.model_dump(mode="json")},
            "seed": self.seed,
            "device": str(detector.device),
            "device_name": describe(detector.device),
            "threads": self._threads,
            "versions": versions(),
        }


def start(
    operation: DetectorOperation,
    detector: Detector,
    images: Tensor,
    truths: Sequence[Boxes] | None = None,
    *,
    target: int | None = None,
    attacked: int | None = None,
    seed: int = 0,
) -> DetectorRun:
    """Start ``operation`` on ``images``; each step is computed when the run is pulled.

    Parameters
    ----------
    operation
        The attack, such as `DPatch`.
    detector
        The detector under study.
    images
        ``(N, C, H, W)`` in [0, 1].
    truths
        The true boxes of each image. None: the clean detections with the operation's ``least_score`` or more, and the result says so.
    target
        The class to be seen; None: untargeted.
    attacked
        The class whose average precision is read and is to fall; None: the mean over all classes.
    seed
        Everything random is drawn from it.

    Raises
    ------
    GibbonError
        A shape, range, box or class is wrong, or the detector finds nothing that could be hidden; the sentence says what to do.
    """
    if not isinstance(operation, DetectorOperation):
        raise GibbonError(f"{type(operation).__name__} is no operation on detectors. Give one such as engine.object_detection.DPatch().")
    if not isinstance(detector, Detector):
        raise GibbonError(f"{type(detector).__name__} is no detector. Wrap the network: engine.object_detection.Detector(module, labels).")
    seed, images = checked_seed(seed), detector.checked(images).detach()
    for what, label in (("target", target), ("attacked class", attacked)):
        if label is not None and not 0 <= label < len(detector.labels):
            raise GibbonError(f"The {what} is {label}, but “{detector.name}” has the classes 0 to {len(detector.labels) - 1}.")
    operation.check(images.shape[2], images.shape[3])
    access = DetectorAccess(detector)
    before = access(images)
    least = float(getattr(operation, "least_score", 0.5))
    assumed = truths is None
    truths = [_clean(boxes, least, images) for boxes in before] if truths is None else truths
    known = [boxes.to(detector.device) for boxes in detector.checked_truths(truths, len(images), tuple(images.shape[2:]))]
    _check_goal(known, detector, target, attacked, assumed, least)
    random = RowRandom(seed, range(len(images)), detector.device)
    return DetectorRun(operation, DetectorProblem(access, images, tuple(known), random, target, attacked), seed, before, assumed)


def run(operation: DetectorOperation, detector: Detector, images: Tensor, *args: Any, **kwargs: Any) -> DetectorResult:
    """Run an operation to its end: `start` with the same parameters, and the result of the last step."""
    with start(operation, detector, images, *args, **kwargs) as under_way:
        for _ in under_way:
            pass
        return under_way.result()


def _clean(found: Boxes, least: float, images: Tensor) -> Boxes:
    """Return the confident detections cut at the edges of the image; those without area are left out."""
    sure = found.sure(least)
    height, width = images.shape[2:]
    sides = torch.minimum(sure.xyxy.clamp_min(0), torch.tensor([width, height, width, height], device=images.device))
    whole = ((sides[:, 2:] - sides[:, :2]) > 0).all(1)
    return Boxes(sides[whole], sure.labels[whole], torch.ones_like(sure.scores[whole]))


def _check_goal(truths: Sequence[Boxes], detector: Detector, target: int | None, attacked: int | None, assumed: bool, least: float) -> None:
    """Refuse an attack that has nothing to hide."""
    if target is None and not any(len(boxes) for boxes in truths):
        if assumed:
            raise GibbonError(
                f"“{detector.name}” finds nothing with a score of {least:g} or more here, so there is nothing to hide. "
                "Give the true boxes, lower least_score, or name a target."
            )
        raise GibbonError("There is no true box in any image, so there is nothing to hide. Give boxes, or name a target.")
    if attacked is not None and not any(bool((boxes.labels == attacked).any()) for boxes in truths):
        which = "detection" if assumed else "true box"
        raise GibbonError(f"No {which} here is of the class “{detector.labels[attacked]}”, so it has no AP. Attack another class.")
