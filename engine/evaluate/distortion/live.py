"""One distortion at one strength, for a slider: the pictures and the predictions at once, without a run."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from engine.classifier import Classifier
from engine.evaluate.distortion.kinds import Distortion, check_strength, kind_called
from engine.randomness import RowRandom


@dataclass(frozen=True, eq=False)
class Moment:
    """A clean and an adversarial image under one distortion at one strength, and the classifier's logits for both."""

    distortion: Distortion
    strength: float
    clean: Tensor
    """The distorted clean image, ``(C, H, W)`` in [0, 1]."""
    adversarial: Tensor
    """The distorted adversarial image, ``(C, H, W)`` in [0, 1]."""
    clean_logits: Tensor
    """Logits of the clean one, ``(K,)``."""
    adversarial_logits: Tensor
    """Logits of the adversarial one, ``(K,)``."""


def moment(classifier: Classifier, clean: Tensor, adversarial: Tensor, distortion: str, strength: float, seed: int = 0) -> Moment:
    """Distort a pair of images and ask the classifier for both; two forward rows in one pass, which are not counted.

    Parameters
    ----------
    classifier
        The model that predicts.
    clean, adversarial
        ``(C, H, W)`` in [0, 1].
    distortion
        A slug of `kinds.KINDS`.
    strength
        Any strength in the range of the distortion; the same seed gives the same noise at every one, so that a slider moves smoothly.
    seed
        Seed of added noise.

    Raises
    ------
    GibbonError
        There is no such distortion, or the strength is outside of its range.
    """
    kind = kind_called(distortion)
    check_strength(kind, strength)
    pair = clean.new_empty(2, *clean.shape)
    pair[0], pair[1] = clean, adversarial
    seen = kind(pair, strength, lambda: RowRandom(seed, [0], clean.device).normal(clean.shape).to(clean))
    logits = classifier.score(seen)
    return Moment(kind, strength, seen[0], seen[1], logits[0], logits[1])
