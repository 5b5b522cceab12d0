"""Sample images: drawn by this project for signs and digits, and scikit-image's photographs for ImageNet's classes and CIFAR-10's."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import resources
from engine.errors import GibbonError
from engine.images.photograph import Crop, Photograph, open_image

_PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "camera": "camera.png",
    "cat": "chelsea.png",
    "clock": "clock_motion.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "horse": "horse.png",
    "hubble deep field": "hubble_deep_field.jpg",
    "motorcycle": "motorcycle_left.png",
    "page": "page.png",
    "rocket": "rocket.jpg",
}
"""Title to the file in ``skimage/data``; only files that are inside the package, so nothing is downloaded."""

_OBJECTS = {"cat": 3, "horse": 7}
"""Photographs of one of CIFAR-10's classes: its name and number."""


@dataclass(frozen=True)
class Sample:
    """A sample image for a first experiment."""

    title: str
    path: Path
    model: str
    """The shipped architecture that it suits ("signs", "digits", "objects"), or "imagenet"."""
    label: int | None = None
    """The true class, where it is known."""
    label_name: str | None = None
    size: int | None = None
    """Height and width in pixels, where it is square and known."""
    crop: Crop | None = None
    """The crop that the classifier receives; None: the photograph's default crop."""

    def open(self) -> Photograph:
        """Open the sample as a photograph."""
        return open_image(self.path)


def samples() -> list[Sample]:
    """List the images in ``resources/samples``, then scikit-image's photographs; missing files are left out.

    Raises
    ------
    GibbonError
        ``samples.json`` is damaged.
    """
    return _drawn(resources.folder("samples")) + _photographs()


def _drawn(folder: Path) -> list[Sample]:
    listing = folder / "samples.json"
    if not listing.is_file():
        return []
    try:
        entries: list[dict[str, Any]] = json.loads(listing.read_text("utf-8"))
        return [_sample(folder, entry) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise GibbonError(f"“{listing}” is damaged ({error!r}). Install Gibbon again.") from None


def _sample(folder: Path, entry: dict[str, Any]) -> Sample:
    name, size = entry["label_name"], entry["size"]
    crop = entry.get("crop")
    title = f"{name}, {size} px"
    return Sample(title, folder / entry["file"], entry["model"], entry["label"], name, size, None if crop is None else Crop(*crop))


def _photographs() -> list[Sample]:
    # The files are found by path, since importing scikit-image takes a second.
    spec = importlib.util.find_spec("skimage")
    roots = [Path(place) / "data" for place in (spec.submodule_search_locations or ())] if spec else []
    there = [(title, root / file) for root in roots for title, file in _PHOTOGRAPHS.items() if (root / file).is_file()]
    return [Sample(title, path, "imagenet") for title, path in there] + [
        Sample(title, path, "objects", _OBJECTS[title], title) for title, path in there if title in _OBJECTS
    ]
