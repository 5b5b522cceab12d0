"""Training and test sets from any data set, so that no model is tested on its training images."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import torch

from engine.bits import Bits, whole
from engine.data.dataset import DataSet
from engine.data.published import CITATIONS
from engine.data.sources import check_name, loading, splits_of
from engine.errors import GibbonError
from engine.randomness import generator

Size = tuple[int, int]
HELD_OUT = 0.2
"""Share of each class that is held out of a set that has no test set of its own."""


def train_and_test(
    name: str,
    root: str | Path | None = None,
    download: bool = False,
    *,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    count: int | None = None,
    test_count: int | None = None,
) -> tuple[DataSet, DataSet]:
    """Return the images to train on and those to test on.

    A set with both splits provides them, a folder's test set without the images that also occur in training. A drawn set is drawn again for
    the test, from ``seed + 1``. From a folder without splits a fifth of each class is held out, drawn from ``seed``. ``size`` (height,
    width) applies to images from folders and to drawn ones. ``count`` and ``test_count`` limit the images of each part, spread evenly; of a
    set that is divided here ``count`` limits both together.

    Raises
    ------
    GibbonError
        The set is missing, cannot be read, is too small to be divided, or its test images are all among its training images.
    """
    return whole(loading_train_and_test(name, root, download, seed=seed, size=size, count=count, test_count=test_count))


def loading_train_and_test(
    name: str,
    root: str | Path | None = None,
    download: bool = False,
    *,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    count: int | None = None,
    test_count: int | None = None,
) -> Bits[tuple[DataSet, DataSet]]:
    """Load like `train_and_test`, image by image, for callers that show progress or may stop."""
    check_name(name)
    if name.startswith("generated:"):
        train = yield from loading(name, root=root, seed=seed, size=size, count=count)
        test = yield from loading(name, root=root, seed=seed + 1, size=size, count=test_count)
        return train, test
    if {"train", "test"} <= set(splits_of(name)):
        train = yield from loading(name, "train", root, download, size=size, count=count)
        test = yield from loading(name, "test", root, download, size=size, count=test_count)
        return train, test if name in CITATIONS else unseen(test, train)  # published test sets stay as they were published
    return held_out((yield from loading(name, root=root, size=size, count=count)), seed)


def held_out(data: DataSet, seed: int = 0, share: float = HELD_OUT) -> tuple[DataSet, DataSet]:
    """Split a set into a larger part to train on and a smaller one to test on, class by class, drawn from ``seed``.

    Copies of one image stay together, so that no training image is tested under another name.

    Raises
    ------
    GibbonError
        No class has two different images.
    """
    copies: dict[bytes, list[int]] = {}
    classes: dict[int, list[list[int]]] = {}
    for row in torch.randperm(len(data), generator=generator(seed, "held out")).tolist():
        same = copies.setdefault(_pixels(data, row), [])
        if not same:  # a new image counts for the first class in which it occurs
            classes.setdefault(int(data.targets[row]), []).append(same)
        same.append(row)
    chosen = [row for _, images in sorted(classes.items()) for same in images[: _held(len(images), share)] for row in same]
    if not chosen:
        raise GibbonError(f"{data.name} has one image of each class, so none can be held out for a test. Add images.")
    kept = sorted(set(range(len(data))) - set(chosen))
    train, test = data.subset(kept), data.subset(sorted(chosen))
    part = f"{len(test)} of {len(data)} images held out by seed {seed}"
    tested = replace(test, name=f"{data.name}, {part}", source=f"{data.source}, {part}")
    return replace(train, source=f"{data.source}, without {part}"), tested


def unseen(test: DataSet, train: DataSet) -> DataSet:
    """Return ``test`` without the images that also occur in ``train``, pixel by pixel; a note gives their number.

    Raises
    ------
    GibbonError
        Every image of ``test`` occurs in ``train``.
    """
    known = {_pixels(train, row) for row in range(len(train))}
    rows = [row for row in range(len(test)) if _pixels(test, row) not in known]
    if not rows:
        raise GibbonError(f"Every image of {test.name} is one of {train.name}, so nothing would be tested. Give other images.")
    if len(rows) == len(test):
        return test
    part = f"{len(test) - len(rows)} of {len(test)} images left out, which are trained on"
    note = f"{len(test) - len(rows)} of {len(test)} images of {test.name} are left out of the test, since they are trained on."
    return replace(test.subset(rows), name=f"{test.name}, {part}", source=f"{test.source}, {part}", notes=(*test.notes, note))


def _held(images: int, share: float) -> int:
    """Return how many of ``images`` different images are held out: a share of them, at least one, never all."""
    return 0 if images < 2 else min(max(1, round(share * images)), images - 1)


def _pixels(data: DataSet, row: int) -> bytes:
    return hashlib.sha256(data.images[row].numpy().tobytes()).digest()
