"""Data sets by name: those found on the disk, and those that this project draws itself."""

from __future__ import annotations

import numbers
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.bits import Bits, whole
from engine.data import drawn, published
from engine.data.dataset import DataSet
from engine.data.drawn import DRAWN, read_drawn
from engine.data.fetching import fetching
from engine.data.folders import check_is_folder, first_size, folder_named, has_splits, listing, place_of, read_folder
from engine.data.published import CITATIONS, is_present, read_published
from engine.data.selection import SPLITS, Selection, Split
from engine.errors import GibbonError
from engine.files import cache_folder
from engine.text.nearest import nearest
from engine.text.parsing import named

_SHAPES = published.SHAPES | {f"generated:{name}": shape for name, shape in drawn.SHAPES.items()}
"""Shapes of the images that `load` returns where no size is given."""


@dataclass(frozen=True)
class Entry:
    """One line of the data-set chooser."""

    name: str
    title: str
    splits: tuple[Split, ...]
    """The splits that are present; empty for a set without splits, such as a drawn one."""


def default_root() -> Path:
    """Return the folder of the data sets: GIBBON_DATA, or this platform's cache folder."""
    if chosen := os.environ.get("GIBBON_DATA"):
        return Path(chosen).expanduser()
    return cache_folder() / "data"


def available(root: str | Path | None = None) -> list[Entry]:
    """List the sets that `load` can return without a download: those found under ``root``, then the drawn ones."""
    folder = _root(root)
    found = [
        Entry(name, CITATIONS[name], splits)
        for name in CITATIONS
        if (splits := tuple(split for split in SPLITS if is_present(folder, name, split)))
    ]
    own = [Entry(f"generated:{name}", f"{name}, drawn by this project", ()) for name in DRAWN]
    return found + own


def parse_name(text: str) -> tuple[str, Split | None]:
    """Parse a set's name and its split from a text such as “gtsrb:train”; None: the text names no split."""
    name, _, split = text.rpartition(":")
    return (name, "train" if split == "train" else "test") if split in SPLITS else (text, None)


def shape_of(name: str) -> tuple[int, int, int] | None:
    """Return the shape ``(C, H, W)`` of a set's images without loading them; None: it is not known, or there are none.

    Raises
    ------
    GibbonError
        No image of a folder can be read, or ``name`` is no text.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind != "folder":
        return _SHAPES.get(name)
    if not folder_named(rest).is_dir():
        return None
    place = place_of(folder_named(rest), None)
    samples, _ = listing(place)
    return (3, *first_size(samples, place)) if samples else None


def splits_of(name: str) -> tuple[Split, ...]:
    """Return the splits that a set defines: train and test for published sets and for folders that hold both; else none.

    A set without splits is one set of images; it is neither for training nor for testing.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind == "folder":
        return SPLITS if has_splits(folder_named(rest)) else ()
    return SPLITS if name in CITATIONS else ()


def labels_of(name: str, split: Split | None = None) -> tuple[str, ...]:
    """Return the class names of a set without loading it.

    Raises
    ------
    GibbonError
        The set is unknown, or its folder cannot be read.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind == "folder":
        folder = folder_named(rest)
        check_is_folder(folder)
        return listing(place_of(folder, split))[1]
    known = published.LABELS | {f"generated:{drawn_set}": labels for drawn_set, labels in drawn.LABELS.items()}
    if name not in known:
        raise GibbonError(_unknown(name))
    return known[name]


def load(
    name: str,
    split: Split | None = None,
    root: str | Path | None = None,
    download: bool = False,
    *,
    count: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    classes: Sequence[int] = (),
    draw: int | None = None,
) -> DataSet:
    """Load a data set by its name.

    Parameters
    ----------
    name
        "mnist", "gtsrb", "cifar10"; "folder:PATH" (images right inside, or one folder per class); "generated:signs",
        "generated:digits" (drawn by this project from ``seed``, no file needed).
    split
        The data set's own split; None: the test set where it has one. A folder has both where it holds folders ``train`` and ``test``.
        Drawn sets and other folders have no splits: `train_and_test` divides them.
    root
        Folder of the sets, in torchvision's layout. Default: the environment variable GIBBON_DATA, else this platform's cache folder.
    download
        Download missing files; `loading` yields the bytes received before the images.
    count
        Number of images to draw, or to take from files, spread evenly over the set.
    seed
        Seed of drawn sets.
    size
        Size of images from folders and of drawn signs: default 32x32 for drawn signs, the first image's own size for a folder.
    classes
        Numbers of the set's classes whose images are taken; empty: all. ``labels`` and class numbers stay those of the whole set.
    draw
        Seed by which ``count`` images are drawn from files instead of spread evenly. A drawn set has a seed of its own.

    Raises
    ------
    GibbonError
        The set is unknown or missing, has no such split, is too large, or holds no readable image.
    """
    return whole(loading(name, split, root, download, count=count, seed=seed, size=size, classes=classes, draw=draw))


def loading(
    name: str,
    split: Split | None = None,
    root: str | Path | None = None,
    download: bool = False,
    *,
    count: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    classes: Sequence[int] = (),
    draw: int | None = None,
) -> Bits[DataSet]:
    """Load like `load`, image by image, for callers that show progress or may stop."""
    check_name(name)
    _check(split, count, seed, size, draw)
    if isinstance(classes, str):
        raise GibbonError(f"{named(classes)} names no classes. Give a list of class numbers, such as [3, 5].")
    kind, _, rest = name.partition(":")
    check_there(name, split, root, download)
    if kind == "generated":
        return (yield from read_drawn(rest, count, seed, size, classes))
    chosen = Selection(count, tuple(classes), draw)
    if kind == "folder":
        return (yield from read_folder(folder_named(rest), split, chosen, size))
    split, folder = split or "test", _root(root)
    if not is_present(folder, name, split):
        yield from fetching(folder, name, split)
    return (yield from read_published(folder, name, split, chosen))


def check_there(name: str, split: Split | None = None, root: str | Path | None = None, download: bool = False) -> None:
    """Refuse a set that `load` cannot return, by its name and the files that are there, without reading any of them.

    Raises
    ------
    GibbonError
        The set is unknown, has no such split, or is missing and ``download`` is not set; the nearest name is suggested.
    """
    check_name(name)
    kind, _, rest = name.partition(":")
    if kind == "folder":
        check_is_folder(folder_named(rest))
    elif name not in _SHAPES:
        raise GibbonError(_unknown(name))
    if split is not None and split not in splits_of(name):
        raise GibbonError(f"{name} is one set without a “{split}” part. Leave the split out; a training holds a part of it out by itself.")
    folder, part = _root(root), split or "test"
    if name in CITATIONS and not download and not is_present(folder, name, part):
        raise GibbonError(published.absence(folder, name, part))


def _unknown(name: str) -> str:
    """Return the sentence about a name that no set has; the part behind the colon is compared, since “generated:” alone is no likeness."""
    kind, _, _ = name.partition(":")
    own = {drawn: f"generated:{drawn}" for drawn in DRAWN}
    known = own if kind == "generated" else {**{published: published for published in CITATIONS}, **own}
    close = nearest(name.rpartition(":")[2], known)
    cure = f"Did you mean {known[close]}?" if close else f"Use one of {', '.join(known.values())}, folder:PATH."
    return f"There is no data set “{name}”. {cure}"


def check_name(name: object) -> None:
    """Refuse a value that is no name of a data set."""
    if not isinstance(name, str):
        raise GibbonError(f"{name!r} is no name of a data set. Give a text, such as mnist or folder:PATH.")


def _check(split: object, count: object, seed: object, size: object, draw: object) -> None:
    """Refuse values that are no split, number of images, seed or size."""
    if split is not None and split not in SPLITS:
        raise GibbonError(f'There is no split "{split}": use "train" or "test".')
    if count is not None and not (_is_whole(count) and count >= 1):  # type: ignore[operator]
        raise GibbonError(f"count is {named(count)}, but a whole number of images is needed, at least one.")
    for number in (seed, 0 if draw is None else draw):
        if not _is_whole(number):
            raise GibbonError(f"{named(number)} is no seed: give a whole number.")
    if size is not None and not (
        isinstance(size, tuple | list) and len(size) == 2 and all(_is_whole(n) and 1 <= n <= 10_000 for n in size)
    ):
        raise GibbonError(f"{size!r} is no size of an image: give (height, width) in pixels.")


def _is_whole(value: object) -> bool:
    """Return whether the value is a whole number; NumPy's integers are, too."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _root(root: object) -> Path:
    """Return the folder of the data sets that the caller named, or the default one."""
    if root is None:
        return default_root()
    if not isinstance(root, str | os.PathLike):
        raise GibbonError(f"{root!r} is no folder of data sets. Give a path.")
    return Path(root).expanduser()
