"""Search for the files that a record names, which are recognised by their hash."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.files import file_digest
from engine.images import open_image


def find(path: str | None, sha256: str | None, folder: Path, given: Path | None, what: str) -> Path:
    """Find a recorded file: relative to the record, relative to the current folder, or beside the record; the first with equal hash.

    Raises
    ------
    GibbonError
        No such file has the recorded hash.
    """
    if path is None:
        raise GibbonError(f"The record names no file for its {what}.")
    places = [given] if given is not None else [folder / path, Path(path), folder / Path(path).name]
    found = [place for place in places if place.is_file()]
    if not found:
        named = ", or name it with --image" if what == "image" else ""
        raise GibbonError(f"The record's {what} “{path}” is not there. Put it back or beside the record{named}.")
    for place in found:
        if sha256 is None or file_digest(place) == sha256:
            return place
    raise GibbonError(f"“{found[0]}” is not the {what} that was recorded: its SHA-256 differs. Give the original file.")


def read_mask(path: Path | str, classifier: Classifier) -> Tensor:
    """Read a mask ``(1, H, W)`` in [0, 1] from an image file of the classifier's input size: white may change, black stays.

    Raises
    ------
    GibbonError
        The file is no image, has another size, or contains no white.
    """
    photograph = open_image(path)
    _, height, width = classifier.input_shape
    if photograph.size != (width, height):
        raise GibbonError(
            f"The mask “{photograph.name}” has {photograph.size[0]} × {photograph.size[1]} pixels, but the model works at "
            f"{width} × {height}. Draw it at that size: white may change, black stays."
        )
    values = torch.from_numpy(photograph.pixels.astype("float32") / 255)
    return (values if values.dim() == 2 else values.mean(2))[None]
