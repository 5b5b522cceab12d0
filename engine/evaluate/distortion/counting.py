"""Predictions under one distortion, and the numbers that they are counted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engine.intervals import Share

FEW = 30
"""Number of counted images below which a rate says little, however narrow a page its interval is printed on."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions for images, each with its probability."""

    classes: Tensor
    """``(N,)``; -1, which is no class, where the logits hold NaN."""
    probabilities: Tensor
    """Probabilities of those classes, ``(N,)``."""

    @classmethod
    def of(cls, logits: Tensor) -> Self:
        """Return the predictions of logits ``(N, K)``."""
        probabilities, classes = logits.softmax(1).max(1)
        return cls(classes.masked_fill(logits.isnan().any(1), -1), probabilities)

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Join the predictions of several chunks."""
        return cls(torch.cat([part.classes for part in parts]), torch.cat([part.probabilities for part in parts]))


@dataclass(frozen=True, eq=False)
class Seen:
    """The predictions for clean and adversarial images under one distortion at one strength, or those of another model."""

    slug: str
    """The distortion's slug, or the model's name."""
    title: str
    strength: float | None
    """The strength; None: the images are as they were made."""
    shown: str
    """The strength with its unit."""
    clean: Predictions
    adversarial: Predictions
    names: tuple[str, ...]
    """The class names of the model that predicts."""
    labels: Tensor
    """The images' labels as class numbers of that model, ``(N,)``."""
    by_another_model: bool = False
    step: int = 0
    """The number of the strength among those of its distortion, counted from 0."""

    @property
    def right_clean(self) -> Tensor:
        """C(T(X)): rows in which the clean image is classified correctly, ``(N,)`` bool."""
        return self.clean.classes == self.labels

    @property
    def right(self) -> Tensor:
        """C(T(X_adv)): rows in which the adversarial image is classified correctly, ``(N,)`` bool."""
        return self.adversarial.classes == self.labels

    def name(self, predictions: Predictions, row: int) -> str:
        """Return the name of a predicted class."""
        number = int(predictions.classes[row])
        return self.names[number] if number >= 0 else "no number"


def is_fooled(undistorted: Seen) -> Tensor:
    """Return C(X) and not C(X_adv): rows that are right on the clean and wrong on the adversarial image, ``(N,)`` bool."""
    return undistorted.right_clean & ~undistorted.right


def destruction_rate(fooled: Tensor, right: Tensor) -> Share:
    """Return the share of adversarial images that a distortion undoes, with its counts; undefined where none was adversarial.

    ``d = sum C(X) not C(X_adv) C(T(X_adv)) / sum C(X) not C(X_adv)``.

    Kurakin, Goodfellow, Bengio 2016, arXiv 1607.02533.

    Parameters
    ----------
    fooled
        ``C(X) and not C(X_adv)``, ``(N,)`` bool.
    right
        ``C(T(X_adv))``, ``(N,)`` bool.
    """
    return Share(int((fooled & right).sum()), int(fooled.sum()))


def clean_accuracy(seen: Seen) -> Share:
    """Return the share of clean images that are classified correctly under the distortion: what it costs without any attacker."""
    return Share(int(seen.right_clean.sum()), len(seen.labels))
