"""Saving of adversarial images: each is written as an 8-bit PNG, read again and classified again before it is called adversarial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.images import open_image, write_png
from engine.operation import Operation
from engine.ranking import reached
from engine.result import AttackResult
from engine.text.formatting import format_probability


@dataclass(frozen=True)
class ReadBack:
    """The prediction for an image after it was saved to a file."""

    path: Path
    prediction: int
    probability: float
    """Probability of ``prediction``, by softmax; NaN where the logits hold NaN."""


def write_and_read(path: str | Path, image: Tensor, classifier: Classifier, text: Mapping[str, str] | None = None) -> ReadBack:
    """Write ``image`` ``(C, H, W)`` as PNG, read the file again, and classify its content.

    Raises
    ------
    GibbonError
        The image cannot be saved, or the file cannot be written.
    """
    written = write_png(path, image, text)
    again = open_image(written).crop_to(classifier).to(classifier.device, classifier.dtype)
    with torch.no_grad():
        probabilities = classifier(again[None])[0].softmax(0)
    prediction = int(probabilities.argmax())
    return ReadBack(written, prediction, float(probabilities[prediction]))


@dataclass(frozen=True)
class SavedImage:
    """The prediction for an adversarial image after it was saved to a file."""

    path: Path
    prediction: int
    prediction_name: str
    probability: float
    """Probability of ``prediction``, by softmax."""
    was_adversarial: bool
    """Whether the image was adversarial before it was rounded to 8 bits."""
    still_adversarial: bool
    rounding_undid_it: bool = True
    """Whether rounding is the cause, since the image before rounding, classified alone, is still adversarial."""
    random: bool = False
    """Whether the model is random, so that no pass explains another."""
    cure: str = "Attack with a larger eps or more steps."
    """Advice where rounding undid the attack."""

    @property
    def sentence(self) -> str:
        """The comparison with the file as a sentence."""
        if math.isnan(self.probability):
            return f"Read back from {self.path.name}, the image has no prediction: the model gives NaN. Look at the model."
        read = f"Read back from {self.path.name}, the image is “{self.prediction_name}” ({format_probability(self.probability)})"
        if self.still_adversarial:
            return f"{read}: still adversarial."
        if self.was_adversarial and self.random:
            return f"{read}: not adversarial in this pass. The model is random, so another pass may say otherwise."
        if self.was_adversarial and not self.rounding_undid_it:
            return (
                f"{read}: no longer adversarial. Nor is the image before rounding when it is asked about alone: it was adversarial in the "
                "attack's own pass only. Attack it by itself, with more confidence or more steps."
            )
        if self.was_adversarial:
            return f"{read}: no longer adversarial, rounding to 8 bits undid the attack. {self.cure}"
        return f"{read}: not adversarial, as before saving."


def _cure(operation: Operation) -> str:
    """Return advice against rounding: attacks that minimise the distance have no eps to enlarge."""
    fields = type(operation).model_fields
    if "eight_bit" in fields and not getattr(operation, "eight_bit", False):
        return "“Result: eight bit” keeps it (--eight-bit yes)."
    wider = [
        words for name, words in (("eps", "a larger eps"), ("confidence", "more confidence"), ("steps", "more steps")) if name in fields
    ]
    return f"Attack with {' or '.join(wider)}." if wider else "Another seed may find an image that rounding keeps."


def save_adversarial(result: AttackResult, row: int, path: str | Path, text: Mapping[str, str] | None = None) -> SavedImage:
    """Write one adversarial image as PNG, read the file again, and check whether it is still adversarial.

    Raises
    ------
    GibbonError
        The row does not exist, or the file cannot be written.
    """
    if not 0 <= row < len(result.adversarial):
        raise GibbonError(f"The result has no row {row}: it holds {len(result.adversarial)}, counted from 0.")
    classifier = result.classifier
    seen = write_and_read(path, result.adversarial[row], classifier, text)
    aim = None if result.targets is None else int(result.targets[row])
    label, was = int(result.labels[row]), bool(result.success[row])
    still = reached(seen.prediction, label, aim) and not math.isnan(seen.probability) and not bool(result.failed[row])
    lost = was and not still
    return SavedImage(
        path=seen.path,
        prediction=seen.prediction,
        prediction_name=classifier.labels[seen.prediction],
        probability=seen.probability,
        was_adversarial=was,
        still_adversarial=still,
        rounding_undid_it=lost and reached(int(classifier.predict(result.adversarial[row : row + 1])), label, aim),
        random=classifier.contract.random,
        cure=_cure(result.operation),
    )
