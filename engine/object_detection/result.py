"""The result of an operation on a detector: the best patch so far, and what is detected without it and with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from engine.artifacts import Artifact
from engine.object_detection.boxes import Boxes, overlap
from engine.object_detection.detector import Detector
from engine.object_detection.precision import OVERLAP, Precision
from engine.object_detection.problem import DetectorOperation
from engine.result import Reason
from engine.text.formatting import format_share


@dataclass(frozen=True, eq=False)
class Look:
    """The detections on all images with one iterate of the patch, and how well they fit."""

    index: int
    """Number of the iterate."""
    patch: Tensor
    """The patch, ``(C, h, w)``."""
    loss: float
    """The mean of what the attacker maximises, over the images of that step."""
    found: tuple[Boxes, ...]
    precision: Precision
    seen: float | None
    """Share of the images in which the target class is found at the patch; None: untargeted."""


@dataclass(frozen=True, eq=False)
class DetectorResult:
    """The best patch so far with the detections, and everything needed to make it again."""

    operation: DetectorOperation
    detector: Detector
    reason: Reason
    seconds: float
    """Time inside the operation, in seconds; waiting between steps does not count."""
    forwards: int
    """Forward rows through the network, counted."""
    backwards: int
    """Rows of gradients, counted over backward passes."""
    clean: Tensor
    """The images, ``(N, C, H, W)`` in [0, 1]."""
    adversarial: Tensor
    """The images with the patch, ``(N, C, H, W)``; outside the patch not one pixel differs."""
    places: Tensor
    """Left and top of the patch in each image, ``(N, 2)``."""
    truths: tuple[Boxes, ...]
    truths_assumed: bool
    """Whether the true boxes are the clean detections, since none were given."""
    target: int | None
    attacked: int | None
    """The class whose average precision is meant to fall; None: the mean over all classes."""
    before: tuple[Boxes, ...]
    """The detections on the clean images."""
    precision_before: Precision
    begun: Look
    """The look at iterate 0: what a patch does there that was not optimised, such as to cover an object."""
    kept: Look
    """The look at the best iterate."""
    looks: int
    steps_made: int
    """Number of the last iterate."""
    artifacts: Mapping[str, Artifact]
    provenance: Mapping[str, Any]
    """Detector, operation and parameters, seed, versions, device, threads."""

    @property
    def patch(self) -> Tensor:
        """The best patch, ``(C, h, w)`` in [0, 1]."""
        return self.kept.patch

    @property
    def after(self) -> tuple[Boxes, ...]:
        """The detections on the images with the patch."""
        return self.kept.found

    @property
    def precision_after(self) -> Precision:
        """The average precision with the patch."""
        return self.kept.precision

    @property
    def drop(self) -> float:
        """Share of the average precision that the patch takes away, in [0, 1] where it takes any; NaN without true boxes."""
        return drop(self.precision_before.of(self.attacked), self.precision_after.of(self.attacked))

    @property
    def sentence(self) -> str:
        """Return the outcome in a sentence."""
        whose = "The mean AP" if self.attacked is None else f"The AP of “{self.detector.labels[self.attacked]}”"
        values = [look.of(self.attacked) for look in (self.precision_before, self.begun.precision, self.precision_after)]
        clean, start, best = (format_share(value) for value in values)
        said = f"{whose} is {clean} without a patch, {start} with the initial patch, {best} with that of iterate {self.kept.index}"
        if self.target is None or self.kept.seen is None:
            return f"{said}."
        return f"{said}; “{self.detector.labels[self.target]}” is seen at the patch in {format_share(self.kept.seen)} of the images."

    def __repr__(self) -> str:
        return f"DetectorResult({self.operation.slug} on “{self.detector.name}”, {len(self.clean)} images: {self.sentence} {self.reason})"


def drop(before: float, after: float) -> float:
    """Return the share ``(before - after) / before``; NaN where there was nothing to lose."""
    return (before - after) / before if before > 0 else float("nan")


def seen_at(found: Boxes, place: Boxes, least_score: float) -> bool:
    """Return whether a box of the class of ``place`` (one box) is found there: with IoU one half or more, and this score or more."""
    likely = found.where((found.scores >= least_score) & (found.labels == place.labels.to(found.labels.device)))
    return bool((overlap(likely.xyxy, place.xyxy.to(likely.xyxy)) >= OVERLAP).any())
