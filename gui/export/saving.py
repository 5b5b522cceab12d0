"""Saving the adversarial image as PNG: it is written, read back and classified again. Called in the engine thread."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.scene import Frame


def save_entry(entry: AttackRun, path: Path) -> str:
    """Save a finished run's adversarial image with its record inside; return the verdict in a sentence."""
    import engine
    from gui.export.recording import record_of_entry

    return engine.save_adversarial(entry.result, 0, path, {"gibbon": record_of_entry(entry, path.parent).model_dump_json()}).sentence


def save_frame(frame: Frame, label: int | None, path: Path) -> str:
    """Save a frame that no run made; return the verdict in a sentence. Without a label it is judged by the clean image's prediction."""
    from engine.ranking import reached
    from engine.record import write_and_read
    from engine.text.formatting import format_probability

    classifier, seen = frame.scene.classifier, frame.observation
    saved = write_and_read(path, seen.adversarial_image, classifier)
    if math.isnan(saved.probability):
        return f"Read back from {saved.path.name}, the image has no prediction: the model gives NaN. Look at the model."
    wrong = reached(saved.prediction, seen.clean_prediction if label is None else label, None)
    prediction = f"“{classifier.labels[saved.prediction]}” ({format_probability(saved.probability)})"
    return f"Read back from {saved.path.name}, the image is {prediction}: {'adversarial' if wrong else 'not adversarial'}."
