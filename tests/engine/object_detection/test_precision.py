"""Average precision against a slow reference that follows the definition word by word, and against cases done by hand."""

from __future__ import annotations

import math
import random

import pytest
import torch

from engine.errors import GibbonError
from engine.object_detection import Boxes, average_precision, overlap


def iou(a: list[float], b: list[float]) -> float:
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * high
    return wide * high / both if both else 0.0


def counted(found: list[Boxes], truths: list[Boxes], label: int, least_score: float) -> tuple[int, int]:
    """Right and wrong detections of a score or more, one by one."""
    right = wrong = 0
    for seen, true in zip(found, truths, strict=True):
        own = [box for box, kind in zip(true.xyxy.tolist(), true.labels.tolist(), strict=True) if kind == label]
        mine = zip(seen.xyxy.tolist(), seen.labels.tolist(), seen.scores.tolist(), strict=True)
        shown = sorted((each for each in mine if each[1] == label and each[2] >= least_score), key=lambda each: -each[2])
        taken = set()
        for box, _, _ in shown:
            shares = [iou(box, other) for other in own]
            best = max(range(len(own)), key=lambda k: shares[k]) if own else None
            if best is None or shares[best] < 0.5 or best in taken:
                wrong += 1
            else:
                right += 1
                taken.add(best)
    return right, wrong


def reference(found: list[Boxes], truths: list[Boxes], label: int) -> float:
    """The area under the largest precision at each recall or more, by summing over every object in turn."""
    total = sum(int((true.labels == label).sum()) for true in truths)
    if total == 0:
        return math.nan
    scores = {float(s) for seen in found for s, kind in zip(seen.scores, seen.labels, strict=True) if int(kind) == label}
    points = []
    for score in scores:
        right, wrong = counted(found, truths, label, score)
        points.append((right, right / (right + wrong)))
    return sum(max((precision for right, precision in points if right >= k), default=0.0) for k in range(1, total + 1)) / total


def scene(draw: random.Random, classes: int, scored: bool) -> Boxes:
    boxes, labels, scores = [], [], []
    for _ in range(draw.randint(0, 6)):
        x, y, side = draw.randint(0, 6), draw.randint(0, 6), draw.randint(3, 8)
        boxes.append([x, y, x + side, y + side + draw.randint(-1, 1)])
        labels.append(draw.randrange(classes))
        scores.append(draw.choice([0.1, 0.3, 0.5, 0.5, 0.9, 1.0]) if scored else 1.0)
    return Boxes.of(boxes, labels, scores)


@pytest.mark.parametrize("seed", range(60))
def test_average_precision_is_that_of_the_literal_reference(seed: int) -> None:
    draw, classes = random.Random(seed), 3
    images = draw.randint(1, 6)
    truths = [scene(draw, classes, False) for _ in range(images)]
    found = [scene(draw, classes, True) for _ in range(images)]
    for near in range(images):  # some detections near the truth, some of them twice
        sides = truths[near].xyxy.repeat(2, 1) + torch.tensor([draw.random() for _ in range(8 * len(truths[near]))]).reshape(-1, 4)
        again = Boxes(sides, truths[near].labels.repeat(2), torch.tensor([draw.random() for _ in range(len(sides))]))
        found[near] = Boxes(*(torch.cat([getattr(b, part) for b in (found[near], again)]) for part in ("xyxy", "labels", "scores")))
    got = average_precision(found, truths, classes)
    wanted = [reference(found, truths, label) for label in range(classes)]
    assert got.by_class == pytest.approx(wanted, nan_ok=True, abs=1e-12)
    known = [value for value in wanted if not math.isnan(value)]
    assert got.mean == pytest.approx(sum(known) / len(known), nan_ok=True) if known else math.isnan(got.mean)


BOX, OTHER = [0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]


def of(*found: tuple[list[float], float], truths: int = 1) -> float:
    seen = Boxes.of([box for box, _ in found], [0] * len(found), [score for _, score in found])
    true = Boxes.of([BOX, OTHER][:truths], [0] * truths)
    return average_precision([seen], [true], 1).by_class[0]


def test_cases_done_by_hand() -> None:
    assert of((BOX, 0.9)) == 1.0
    assert of() == 0.0
    assert of((BOX, 0.9), (BOX, 0.8)) == 1.0  # the duplicate comes after full recall
    assert of((BOX, 0.9), (BOX, 0.8), (OTHER, 0.7), truths=2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert of((OTHER, 0.9), (BOX, 0.8)) == 0.5
    assert of((OTHER, 0.8), (BOX, 0.8)) == 0.5  # equal scores, in either order
    assert of((BOX, 0.8), (OTHER, 0.8)) == 0.5
    assert of(([0.0, 0.0, 10.0, 5.0], 0.9)) == 1.0  # an overlap of one half counts
    assert of(([0.0, 0.0, 10.0, 4.99], 0.9)) == 0.0


def test_classes_without_objects_are_left_out_of_the_mean_and_images_without_objects_count() -> None:
    seen, true = Boxes.of([BOX, BOX], [0, 1], [0.9, 0.9]), Boxes.of([BOX], [0])
    got = average_precision([seen], [true], 3)
    assert got.by_class[0] == got.mean == 1.0
    assert math.isnan(got.by_class[1])
    assert got.truths == (1, 0, 0)
    assert got.detections == (1, 1, 0)
    worse = average_precision([seen, Boxes.of([BOX], [0], [0.95])], [true, Boxes.none()], 3)
    assert worse.by_class[0] == 0.5
    assert math.isnan(average_precision([], [], 2).mean)
    assert math.isnan(average_precision([seen], [Boxes.none()], 2).mean)


def test_the_order_of_the_images_does_not_matter() -> None:
    draw = random.Random(5)
    truths, found = [scene(draw, 2, False) for _ in range(8)], [scene(draw, 2, True) for _ in range(8)]
    forwards = average_precision(found, truths, 2)
    assert average_precision(found[::-1], truths[::-1], 2) == forwards


def test_boxes_that_are_none_are_refused_in_a_sentence() -> None:
    for sides, labels, scores, said in (
        ([[5, 0, 1, 9]], [0], [1.0], "right before its left"),
        ([[0, 0, 1, math.nan]], [0], [1.0], "NaN or infinite"),
        ([[0, 0, 1, 1]], [-1], [1.0], "negative"),
        ([[0, 0, 1, 1]], [0], [1.5], r"outside \[0, 1\]"),
        ([[0, 0, 1, 1]], [0, 1], [1.0], "have the shapes"),
    ):
        with pytest.raises(GibbonError, match=said):
            Boxes.of(sides, labels, scores)
    with pytest.raises(GibbonError, match="Give a tensor of int64"):
        Boxes(torch.zeros(1, 4), torch.zeros(1), torch.zeros(1))
    with pytest.raises(GibbonError, match="there are 1 classes"):
        average_precision([Boxes.of([BOX], [1])], [Boxes.none()], 1)
    with pytest.raises(GibbonError, match="for the same images"):
        average_precision([], [Boxes.none()], 1)


def test_boxes_without_area_overlap_nothing() -> None:
    line = torch.tensor([[3.0, 3.0, 3.0, 9.0]])
    assert overlap(line, line).item() == 0.0
    assert overlap(torch.tensor([BOX]), torch.tensor([BOX])).item() == 1.0
