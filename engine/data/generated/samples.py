"""The shipped pictures: a fixed list with fixed seeds, drawn in fair weather, and the script that writes them."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data.generated.digits import draw_digit
from engine.data.generated.scenes import draw_scene
from engine.data.generated.signs import photographed
from engine.data.labels import DIGIT_LABELS, SIGN_LABELS
from engine.errors import GibbonError

SEED = 1
INDEX = "samples.json"
SIGNS: tuple[tuple[str, int], ...] = (
    ("stop", 14),
    ("yield", 13),
    ("no-entry", 17),
    ("priority-road", 12),
    ("limit-30", 1),
    ("limit-50", 2),
    ("limit-100", 7),
    ("danger", 18),
    ("road-works", 25),
    ("signals", 26),
    ("turn-right", 33),
    ("ahead", 35),
    ("keep-right", 38),
    ("roundabout", 40),
)
SCENES = ("stop", "yield", "no-entry", "priority-road", "limit-50", "danger", "turn-right", "roundabout")


@dataclass(frozen=True)
class Sample:
    """One shipped picture; ``crop`` is the square (x, y, width, height) of the sign as the model expects it, None for the whole picture."""

    name: str
    file: str
    model: str
    label: int
    label_name: str
    size: int
    seed: int
    crop: tuple[int, int, int, int] | None
    sha256: str


def write(folder: Path) -> list[Sample]:
    """Write every sample and their list into a folder; the same bits each time.

    Raises
    ------
    GibbonError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        samples = []
        for sample, picture in drawn():
            _replace(folder / sample.file, _png(picture))
            samples.append(sample)
        text = json.dumps([asdict(sample) for sample in samples], indent=1) + "\n"
        _replace(folder / INDEX, text.encode())
    except OSError as error:
        raise GibbonError(f"The samples cannot be written to {folder}: {error.strerror}. Choose another folder.") from error
    return samples


def drawn() -> list[tuple[Sample, NDArray[np.uint8]]]:
    """Draw every sample, with its entry in the list."""
    every: list[tuple[Sample, NDArray[np.uint8]]] = []
    for name, label in SIGNS:
        small = photographed(np.random.default_rng([SEED, label]), label, 32, fair=True)
        every.append((_sample(f"sign-{name}-32", "signs", label, small), small))
        if name in SCENES:
            large, crop = draw_scene(label, SEED)
            every.append((_sample(f"sign-{name}-256", "signs", label, large, crop), large))
    for label in range(len(DIGIT_LABELS)):
        digit = draw_digit(label, SEED)
        every.append((_sample(f"digit-{label}", "digits", label, digit), digit))
    return every


def pixels_sha256(picture: NDArray[np.uint8]) -> str:
    """Return the hash of a picture's pixels, independent of the file format."""
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()


def _sample(name: str, model: str, label: int, picture: NDArray[np.uint8], crop: tuple[int, int, int, int] | None = None) -> Sample:
    label_name = (SIGN_LABELS if model == "signs" else DIGIT_LABELS)[label]
    return Sample(name, f"{name}.png", model, label, label_name, len(picture), SEED, crop, pixels_sha256(picture))


def _png(picture: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)
