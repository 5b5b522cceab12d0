"""Selections: which images of a data set are taken, and how to say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.randomness import generator
from engine.text.formatting import counted

Split = Literal["train", "test"]
"""A part of a data set, for training or for testing."""
SPLITS: tuple[Split, ...] = ("test", "train")
_NAMED = 3
"""Classes that `Selection.words` names, at most."""


@dataclass(frozen=True)
class Selection:
    """A choice of images: ``count`` of those of ``classes``, spread evenly over the set, or drawn by ``seed``."""

    count: int | None = None
    """Number of images, at most; None: all."""
    classes: tuple[int, ...] = ()
    """Numbers of the set's classes; empty: all classes."""
    seed: int | None = None
    """The images are drawn without repetition by this seed. None: the first of each of ``count`` equal parts."""

    def places(self, targets: Sequence[int] | Tensor) -> Tensor:
        """Return the places ``(n,)`` of the chosen images in a set whose images have the classes ``targets``, in ascending order.

        Raises
        ------
        GibbonError
            No image has one of the classes.
        """
        found = torch.as_tensor(targets, dtype=torch.int64)
        fitting = torch.arange(len(found))
        if self.classes:
            fitting = fitting[torch.isin(found, torch.tensor(self.classes))]
        if not len(fitting):
            raise GibbonError("No image of the data set has one of the chosen classes. Choose other classes.")
        if self.count is None or self.count >= len(fitting):
            return fitting
        if self.seed is None:
            return fitting[torch.arange(self.count) * len(fitting) // self.count]
        return fitting[torch.randperm(len(fitting), generator=generator(self.seed, "selection"))[: self.count]].sort().values

    def words(self, taken: int, of: int | None, labels: Sequence[str] = ()) -> str:
        """Say which images were taken, such as ``200 of 10,000 images of class 7, drawn by seed 3``; ``of`` counts those that fit."""
        images = counted(taken, "image") if of is None or taken == of else f"{taken:,} of {of:,} images"
        every = "all " if taken == of and taken > 1 else ""
        return f"{every}{images}{self._classes(labels)}{self._order(taken, of)}"

    def _order(self, taken: int, of: int | None) -> str:
        if taken == of:
            return ""
        if of is None:
            return ", in their order"
        return ", spread evenly" if self.seed is None else f", drawn by seed {self.seed}"

    def _classes(self, labels: Sequence[str]) -> str:
        if not self.classes or len(self.classes) == len(labels):
            return ""
        names = [labels[number] if number < len(labels) else str(number) for number in self.classes]
        if len(names) > _NAMED:
            return f" of {len(names)} classes"
        return f" of {'class' if len(names) == 1 else 'the classes'} {', '.join(names)}"


def checked_classes(classes: Sequence[int], labels: Sequence[str]) -> tuple[int, ...]:
    """Return the class numbers in ascending order, each once; a class that the set does not have is refused."""
    for number in classes:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(labels):
            raise GibbonError(f"There is no class {number!r}: the set's {len(labels)} classes are numbered from 0 to {len(labels) - 1}.")
    return tuple(sorted(set(classes)))


def chosen_places(selection: Selection, targets: Sequence[int] | Tensor, labels: Sequence[str]) -> tuple[Tensor, int]:
    """Return the places of the chosen images, and the number of images that have one of the classes."""
    classes = checked_classes(selection.classes, labels)
    fitting = len(targets) if not classes else int(torch.isin(torch.as_tensor(targets), torch.tensor(classes)).sum())
    return selection.places(targets), fitting


def numbers_of(places: Tensor) -> tuple[int, ...]:
    """Return places ``(n,)`` as numbers, for `DataSet.places`."""
    return tuple(places.tolist())
