"""Average precision of a detector at an overlap of one half, for each class and as a mean, after the Pascal VOC of 2010 and later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.artifacts import Table
from engine.errors import GibbonError
from engine.object_detection.boxes import Boxes, overlap

OVERLAP = 0.5
"""IoU from which a detection counts as the true box's."""


@dataclass(frozen=True)
class Precision:
    """The average precision of each class, with the counts that it was computed from."""

    by_class: tuple[float, ...]
    """Average precision of each class in [0, 1]; NaN for a class without a true box, which has none."""
    truths: tuple[int, ...]
    """Number of true boxes of each class."""
    detections: tuple[int, ...]
    """Number of detections of each class, of any score."""

    @property
    def mean(self) -> float:
        """Mean over the classes that have true boxes, as in VOC; NaN where none has."""
        known = [value for value in self.by_class if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan

    def of(self, label: int | None) -> float:
        """Return the average precision of a class; the mean for None."""
        return self.mean if label is None else self.by_class[label]


def average_precision(found: Sequence[Boxes], truths: Sequence[Boxes], classes: int, least_overlap: float = OVERLAP) -> Precision:
    """Return the average precision of detections against true boxes.

    A detection belongs to the true box of its class and image with the largest IoU. It is right where that IoU is at least
    ``least_overlap`` and no detection of larger score belongs to the same box: a second detection of one object is wrong. With TP(s) and
    FP(s) for the right and wrong detections of score s or more, precision is ``TP / (TP + FP)`` and recall ``TP / truths``; the average
    precision is the area under the envelope ``max(precision at this recall or a larger one)`` over all recalls. Detections of equal score
    count together, so the order of the images does not matter. A class whose objects are never found has 0, one without objects NaN.

    Parameters
    ----------
    found, truths
        The detections and the true boxes of the same images, in the same order.
    classes
        The number of classes.
    least_overlap
        The IoU from which a detection is right.

    Raises
    ------
    GibbonError
        The numbers of images differ, or a class is out of range.
    """
    if len(found) != len(truths):
        raise GibbonError(f"There are detections for {len(found)} images and true boxes for {len(truths)}. Give both for the same images.")
    matched = [_matched(each, true, least_overlap) for each, true in zip(found, truths, strict=True)]
    labels, scores, right = (_joined(part) for part in zip(*matched, strict=True)) if matched else (torch.zeros(0),) * 3
    true_labels = _joined([boxes.labels.cpu() for boxes in truths])
    for name, given in (("detection", labels), ("true box", true_labels)):
        if len(given) and int(given.max()) >= classes:
            raise GibbonError(f"A {name} is of class {int(given.max())}, but there are {classes} classes, numbered from 0.")
    values, counts, seen = [], [], []
    for label in range(classes):
        own, total = labels == label, int((true_labels == label).sum())
        values.append(_area(scores[own], right[own].bool(), total))
        counts.append(total)
        seen.append(int(own.sum()))
    return Precision(tuple(values), tuple(counts), tuple(seen))


def precision_table(before: Precision, after: Precision, labels: Sequence[str]) -> Table:
    """Return a table of the average precision of each class that has true boxes, before and after, with the mean below."""
    rows = [
        (name, before.truths[label], before.by_class[label], after.by_class[label])
        for label, name in enumerate(labels)
        if before.truths[label]
    ]
    rows.append(("mean", sum(before.truths), before.mean, after.mean))
    units = {"AP before": "share", "AP after": "share"}
    return Table(("class", "true boxes", "AP before", "AP after"), tuple(rows), f"Average precision at IoU {OVERLAP:g}", units=dict(units))  # type: ignore[arg-type]


def _matched(found: Boxes, truths: Boxes, least: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return class, score and rightness of each detection of one image, by falling score."""
    order = found.scores.cpu().argsort(descending=True, stable=True)
    found, truths = found.to("cpu").where(order), truths.to("cpu")
    right = torch.zeros(len(found), dtype=torch.bool)
    if len(found) and len(truths):
        shared = overlap(found.xyxy.double(), truths.xyxy.double())
        largest, box = torch.where(found.labels[:, None] == truths.labels, shared, -1.0).max(1)
        taken: set[int] = set()
        for place in (largest >= least).nonzero()[:, 0].tolist():
            right[place] = int(box[place]) not in taken
            taken.add(int(box[place]))
    return found.labels, found.scores, right


def _area(scores: Tensor, right: Tensor, total: int) -> float:
    """Return the area under the precision envelope for the detections of one class with ``total`` true boxes."""
    if total == 0:
        return math.nan
    if not bool(right.any()):
        return 0.0
    order = scores.argsort(descending=True, stable=True)
    hits, last = right[order].double().cumsum(0), scores[order].diff(append=torch.tensor([-1.0])) != 0
    hits, count = hits[last], torch.arange(1, len(order) + 1, dtype=torch.float64)[last]
    envelope = (hits / count).flip(0).cummax(0).values.flip(0)
    return float((hits.diff(prepend=torch.zeros(1, dtype=torch.float64)) * envelope).sum() / total)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(parts)) if parts else torch.zeros(0, dtype=torch.int64)
