"""A training and a test set from whatever a data set offers, so that nothing is tested on what it was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.data.dataset import DataSet
from engine.data.sources import load, splits_of
from engine.errors import GibbonError
from engine.randomness import generator

Size = tuple[int, int]
HELD_OUT = 0.2
"""The share of each class that is held out of a set that has no test set of its own."""


def train_and_test(
    name: str, root: str | Path | None = None, download: bool = False, *, seed: int = 0, size: tuple[int, int] | None = None
) -> tuple[DataSet, DataSet]:
    """The images to train on and those to test on.

    A set with both splits gives them. A set that this project draws is drawn for the test anew, from ``seed + 1``. Of a folder without
    the splits a fifth of each class is held out, drawn from ``seed``. ``size`` (height, width) is that of the images of folders and of
    drawn ones.

    Raises
    ------
    GibbonError
        The set is not there, cannot be read, or is too small to hold anything out.
    """
    if name.startswith("generated:"):
        return load(name, root=root, seed=seed, size=size), load(name, root=root, seed=seed + 1, size=size)
    if {"train", "test"} <= set(splits_of(name)):
        return load(name, "train", root, download, size=size), load(name, "test", root, download, size=size)
    return held_out(load(name, root=root, size=size), seed)


def held_out(data: DataSet, seed: int = 0, share: float = HELD_OUT) -> tuple[DataSet, DataSet]:
    """Split a set into a larger part to train on and a smaller one to test on, class by class, drawn from ``seed``.

    Raises
    ------
    GibbonError
        No class has two images.
    """
    order = torch.randperm(len(data), generator=generator(seed, "held out"))
    classes = data.targets[order]
    chosen: list[int] = []
    for target in sorted(set(classes.tolist())):
        rows = order[classes == target].tolist()
        chosen += rows[: max(1, round(share * len(rows)))] if len(rows) > 1 else []
    if not chosen:
        raise GibbonError(f"{data.name} has one image of each class, so none can be held out for a test. Add images.")
    kept = sorted(set(range(len(data))) - set(chosen))
    train, test = data.subset(kept), data.subset(sorted(chosen))
    part = f"{len(test)} of {len(data)} images held out by seed {seed}"
    tested = replace(test, name=f"{data.name}, {part}", source=f"{data.source}, {part}")
    return replace(train, source=f"{data.source}, without {part}"), tested
