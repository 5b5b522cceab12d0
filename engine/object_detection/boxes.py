"""Boxes around the objects of one image, as a frozen value: where they are, their classes and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from engine.errors import GibbonError


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one image.

    Raises
    ------
    GibbonError
        Shapes or types do not fit together, a number is not finite, a box has its right before its left or its bottom above its top, a
        class is negative, or a score is outside [0, 1].
    """

    xyxy: Tensor
    """Left, top, right and bottom in pixels, ``(n, 4)`` float32; pixel (x, y) reaches from x to x + 1."""
    labels: Tensor
    """Number of the class, ``(n,)`` int64."""
    scores: Tensor
    """Confidence in [0, 1], ``(n,)`` float32; 1 for true boxes."""

    def __post_init__(self) -> None:
        for name, kind in (("xyxy", torch.float32), ("labels", torch.int64), ("scores", torch.float32)):
            object.__setattr__(self, name, _tensor(getattr(self, name), name, kind))
        n = len(self.labels)
        if self.xyxy.shape != (n, 4) or self.labels.shape != (n,) or self.scores.shape != (n,):
            shapes = ", ".join(f"{name} {tuple(getattr(self, name).shape)}" for name in ("xyxy", "labels", "scores"))
            raise GibbonError(f"The boxes have the shapes {shapes}. Give xyxy (n, 4), labels (n,) and scores (n,).")
        fault = _fault(self.xyxy, self.labels, self.scores)
        if fault:
            raise GibbonError(fault)

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, boxes: Sequence[Sequence[float]], labels: Sequence[int], scores: Sequence[float] | None = None) -> Self:
        """Make boxes from lists; without scores each is 1."""
        sides = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        sure = torch.ones(len(labels)) if scores is None else torch.tensor(scores, dtype=torch.float32)
        return cls(sides, torch.tensor(labels, dtype=torch.int64), sure)

    @classmethod
    def none(cls, device: torch.device | str = "cpu") -> Self:
        """Make an empty set of boxes."""
        return cls(torch.zeros(0, 4, device=device), torch.zeros(0, dtype=torch.int64, device=device), torch.zeros(0, device=device))

    def where(self, chosen: Tensor) -> Boxes:
        """Return the boxes that ``chosen``, bool ``(n,)`` or indices, selects."""
        return Boxes(self.xyxy[chosen], self.labels[chosen], self.scores[chosen])

    def sure(self, least_score: float) -> Boxes:
        """Return the boxes whose score is ``least_score`` or more."""
        return self.where(self.scores >= least_score)

    @classmethod
    def known(cls, xyxy: Tensor, labels: Tensor, scores: Tensor) -> Self:
        """Make boxes from tensors that are known to be right. Their values are not looked at, which would wait for the device."""
        made = object.__new__(cls)
        for name, value in (("xyxy", xyxy), ("labels", labels), ("scores", scores)):
            object.__setattr__(made, name, value)
        return made

    def to(self, device: torch.device | str) -> Boxes:
        """Return the boxes on another device."""
        return Boxes.known(self.xyxy.to(device), self.labels.to(device), self.scores.to(device))

    def relabelled(self, label: int) -> Boxes:
        """Return the boxes as those of class ``label``."""
        return Boxes.known(self.xyxy, torch.full_like(self.labels, label), self.scores)

    def same(self, other: Boxes) -> bool:
        """Return whether the other boxes are equal bit for bit, in the same order."""
        pairs = ((self.xyxy, other.xyxy), (self.labels, other.labels), (self.scores, other.scores))
        return all(torch.equal(mine.cpu(), theirs.cpu()) for mine, theirs in pairs)


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU ``(n, m)`` of boxes ``(n, 4)`` and ``(m, 4)``: common area over the area of both; 0 for two boxes without area."""
    low, high = torch.maximum(first[:, None, :2], second[:, :2]), torch.minimum(first[:, None, 2:], second[:, 2:])
    common = (high - low).clamp_min(0).prod(-1)
    area = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
    both = area[0][:, None] + area[1] - common
    return torch.where(both > 0, common / both.clamp_min(torch.finfo(both.dtype).tiny), 0.0)


def _tensor(value: Any, name: str, kind: torch.dtype) -> Tensor:
    if not isinstance(value, Tensor) or value.is_complex() or value.is_floating_point() != kind.is_floating_point:
        what = f"a tensor of {value.dtype}" if isinstance(value, Tensor) else f"of type {type(value).__name__}"
        raise GibbonError(f"The {name} of the boxes are {what}. Give a tensor of {str(kind).removeprefix('torch.')}.")
    return value.detach().to(kind)


def _fault(xyxy: Tensor, labels: Tensor, scores: Tensor) -> str:
    """Return what is wrong with boxes of fitting shapes, or nothing; one look at the device where nothing is."""
    faults = {
        "A box or a score is NaN or infinite. Look at the detector.": ~(xyxy.isfinite().all() & scores.isfinite().all()),
        "A box has its right before its left, or its bottom above its top. Give (left, top, right, bottom).": (
            xyxy[:, 2:] < xyxy[:, :2]
        ).any(),
        "A class of a box is negative. Classes are numbered from 0.": (labels < 0).any(),
        "A score of a box is outside [0, 1]. Give a probability.": ((scores < 0) | (scores > 1)).any(),
    }
    if not bool(torch.stack(list(faults.values())).any()):
        return ""
    return next(text for text, wrong in faults.items() if bool(wrong))
