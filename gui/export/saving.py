"""Saving what is on the canvas as PNG: written, read again, classified again. Called in the engine thread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.session.history import FinishedRun
    from gui.session.scene import Frame


def save_entry(entry: FinishedRun, path: Path) -> str:
    """Save a finished run's adversarial image; the verdict in a sentence."""
    from engine.images import save_adversarial

    return save_adversarial(entry.result, 0, path, {"gibbon": json.dumps(dict(entry.result.provenance), default=str)}).sentence


def save_frame(frame: Frame, label: int | None, path: Path) -> str:
    """Save an image that no attack made; without a label it is held to the prediction for the clean image."""
    import torch

    from engine.images import open_image, write_png
    from engine.quantities import format_probability

    classifier, seen = frame.scene.classifier, frame.observation
    written = write_png(path, seen.adversarial_image)
    image = open_image(written).crop_to(classifier).to(classifier.device, classifier.dtype)
    with torch.no_grad():
        probabilities = classifier(image[None])[0].softmax(0)
    best = int(probabilities.argmax())
    truth = seen.clean_prediction if label is None else label
    verdict = "adversarial" if best != truth else "not adversarial"
    probability = format_probability(float(probabilities[best]))
    return f"Read back from {written.name}, the image is “{classifier.labels[best]}” ({probability}): {verdict}."
