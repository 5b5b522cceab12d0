"""Folders of images as data sets: one folder per class, or all images of one unnamed class directly inside."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.bits import Bits
from engine.data import files
from engine.data.dataset import DataSet
from engine.data.selection import SPLITS, Selection, Split, chosen_places, numbers_of
from engine.errors import GibbonError

_MOST_BYTES = 16 << 30
"""Largest size of one set's images in memory."""
_NAMED = 5
"""Number of unreadable files that a sentence names."""


def folder_named(path: str) -> Path:
    """Return the folder that “folder:PATH” names."""
    if not path.strip() or "\0" in path:
        raise GibbonError("folder: names no folder. Write folder:PATH, such as folder:photos.")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # ~somebody of an unknown user
        raise GibbonError(f"{path} is not a folder ({error}): give the folder that holds the images.") from error


def check_is_folder(folder: Path) -> None:
    """Refuse a path that is a file, or at which there is nothing."""
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise GibbonError(f"“{folder}” {what}: give the folder that holds the images.")


def has_splits(folder: Path) -> bool:
    """Return whether a folder holds both a training and a test set."""
    return all((folder / split).is_dir() for split in SPLITS)


def read_folder(folder: Path, split: Split | None, selection: Selection, size: tuple[int, int] | None) -> Bits[DataSet]:
    """Load a folder with one folder per class, or with all images of one unnamed class directly inside."""
    check_is_folder(folder)
    place = place_of(folder, split)
    samples, labels = listing(place)
    if not samples:
        raise GibbonError(f"{place} holds no images, neither right inside nor one folder down: choose another.")
    places, fitting = chosen_places(selection, [target for _, target in samples], labels)
    chosen = [samples[index] for index in places.tolist()]
    size = size or first_size(samples, place)
    _check_memory(len(chosen), size, str(place))
    read = yield from files.read_images([path for path, _ in chosen], size)
    if not read.rows:
        raise GibbonError(f"None of the {len(chosen)} images in {place} can be read. The first: {read.broken[0]}")
    targets = torch.tensor([chosen[row][1] for row in read.rows])
    left_out = _left_out(read)
    name = f"folder:{folder}" if place == folder else f"folder:{folder}:{place.name}"
    source, kept = f"images in {place.name}", numbers_of(places[read.rows])
    return DataSet(name, labels, read.images, targets, source, notes=left_out, places=kept, fitting=fitting)


def place_of(folder: Path, split: Split | None) -> Path:
    """Return the folder of a split's images; without a split that of the test set, or the folder itself where it has none."""
    return folder / (split or "test") if has_splits(folder) else folder


def listing(place: Path) -> tuple[files.Samples, tuple[str, ...]]:
    """List a folder's images with their classes and the class names; images directly inside are one class with the folder's name."""
    samples, labels = files.class_folders(place)
    return (samples, labels) if samples else ([(path, 0) for path in files.images_in(place)], (place.absolute().name,))


def first_size(samples: files.Samples, place: Path) -> tuple[int, int]:
    """Return height and width of the first readable image."""
    error: GibbonError | None = None
    for path, _ in samples:
        try:
            return files.image_size(path)
        except GibbonError as found:
            error = error or found
    raise GibbonError(f"None of the {len(samples)} images in {place} can be read. The first: {error}")


def _left_out(read: files.Read) -> tuple[str, ...]:
    """Return a sentence about files that could not be read: how many, their names, and what is wrong with the first."""
    names = read.left_out
    if len(names) < 2:
        return tuple(f"One file was left out. {sentence}" for sentence in read.broken)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (f"{len(names)} files were left out: {', '.join(names[:_NAMED])}{more}. The first: {read.broken[0]}",)


def _check_memory(count: int, size: tuple[int, int], what: str) -> None:
    wanted = count * size[0] * size[1] * 3
    if wanted > _MOST_BYTES:
        raise GibbonError(
            f"{count:,} images of {what} take {wanted / 2**30:.0f} GiB of memory, and {_MOST_BYTES >> 30} are allowed: "
            "take fewer, or smaller ones."
        )
