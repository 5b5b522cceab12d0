"""A data set as one value: 8-bit images of one size, their classes and their source."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.class_matching import check_known, class_numbers, same_classes
from engine.errors import GibbonError
from engine.text.parsing import named


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Images of one size in memory. Data sets are compared by identity; ``name`` and ``source`` describe them.

    Parameters
    ----------
    name
        Slug for `engine.data.load`, and the split: "gtsrb:test".
    labels
        The class names; ``targets`` index them.
    images
        ``(N, C, H, W)`` uint8.
    targets
        ``(N,)`` int64.
    source
        The set's title and authors, for figures and records, or that this project drew it.
    licence
        Licence of the images, where it is known.
    seed
        Seed of a set that this project drew.
    notes
        Sentences for the user, such as files that were left out.
    places
        The images' numbers in the whole set, counted from 0, where these images were taken from a larger one; empty: not known.
    fitting
        Number of images in the whole set from which these were taken; None: not known, or without an end, as in a drawn set.
    """

    name: str
    labels: tuple[str, ...]
    images: Tensor
    targets: Tensor
    source: str
    licence: str = ""
    seed: int = 0
    notes: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    fitting: int | None = None

    def __post_init__(self) -> None:
        for what, value in (("images", self.images), ("targets", self.targets)):
            if not isinstance(value, Tensor):
                raise GibbonError(f"{what} are {named(value)}, but a tensor is needed. Write torch.as_tensor({what}).")
        if self.images.ndim != 4 or self.images.dtype != torch.uint8:
            raise GibbonError(f"images are {self.images.dtype} {tuple(self.images.shape)}: they must be uint8 (N, C, H, W).")
        if self.targets.shape != (len(self.images),) or self.targets.dtype != torch.int64:
            raise GibbonError(f"targets are {self.targets.dtype} {tuple(self.targets.shape)}: they must be int64 (N,).")
        if len(self.targets) and not 0 <= int(self.targets.min()) <= int(self.targets.max()) < len(self.labels):
            raise GibbonError(
                f"targets reach from {int(self.targets.min())} to {int(self.targets.max())}, but there are {len(self.labels)} labels, "
                "counted from 0. Give a label for each class."
            )

    def __repr__(self) -> str:
        channels, height, width = self.shape
        return f"DataSet({self.name!r}, {len(self)} images of {channels} x {height} x {width}, {len(self.labels)} classes)"

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image: channels, height, width."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    @cached_property
    def sha256(self) -> str:
        """Hash over pixels and classes: equal if and only if every image is, and in the same order."""
        pixels, classes = (np.ascontiguousarray(part.cpu().numpy()) for part in (self.images, self.targets))
        return hashlib.sha256(pixels.tobytes() + classes.astype("<i8").tobytes()).hexdigest()

    def batch(self, indices: Sequence[int] | Tensor | slice) -> tuple[Tensor, Tensor]:
        """Return the images ``(N, C, H, W)`` float32 in [0, 1] and the classes ``(N,)`` at ``indices``.

        Raises
        ------
        GibbonError
            ``indices`` are no whole numbers, or exceed the set.
        """
        chosen = indices if isinstance(indices, slice) else self._rows(indices)
        return self.images[chosen].float().div_(255.0), self.targets[chosen]

    @property
    def is_of_digits(self) -> bool:
        """Whether the class names are digits that the images show, and not the numbers of another classifier's classes."""
        kind, _, rest = self.name.partition(":")
        return kind == "mnist" or (kind, rest.partition(":")[0]) == ("generated", "digits")

    def numbers_in(self, known: Sequence[str]) -> tuple[int | None, ...]:
        """Return the class number of each class of this set among the class names ``known``; None where none matches.

        Classes match by name. Names that are whole numbers, as of folders, are class numbers, unless the images show digits.
        """
        return (same_classes if self.is_of_digits else class_numbers)(self.labels, known)

    def targets_for(self, known: Sequence[str], classifier: str = "the classifier") -> Tensor:
        """Return the classes ``(N,)`` as numbers of the classifier whose class names are ``known``: matched as by `numbers_in`.

        Raises
        ------
        GibbonError
            The classifier does not know some of the classes.
        """
        if tuple(self.labels) == tuple(known):
            return self.targets
        return torch.tensor(check_known(self.labels, known, classifier, by_name=self.is_of_digits))[self.targets]

    def thumbnail(self, index: int) -> NDArray[np.uint8]:
        """Return one image as ``(H, W, 3)`` uint8 for the screen; grey is repeated."""
        image = self.images[self._rows([index])][0].permute(1, 2, 0)
        return np.ascontiguousarray((image if image.shape[-1] == 3 else image[..., :1].expand(-1, -1, 3)).numpy())

    def subset(self, indices: Sequence[int] | Tensor) -> DataSet:
        """Return the same set with the images at ``indices`` only."""
        chosen = self._rows(indices)
        places = tuple(self.places[row] for row in chosen.tolist()) if self.places else ()
        return replace(self, images=self.images[chosen], targets=self.targets[chosen], places=places)

    def of_classes(self, labels: Sequence[str]) -> DataSet:
        """Return the images of these classes only, with ``labels`` as the names and the order of the classes.

        Raises
        ------
        GibbonError
            The set has no class of one of the names.
        """
        own = check_known(labels, self.labels, self.name, by_name=True)
        number = torch.full((len(self.labels),), -1)
        number[torch.tensor(own)] = torch.arange(len(own))
        chosen = self.subset((number[self.targets] >= 0).nonzero().flatten())
        return replace(chosen, labels=tuple(labels), targets=number[chosen.targets])

    def among(self, labels: Sequence[str]) -> DataSet:
        """Return the images of these classes, where the set has all of these and others, too; else all."""
        if len(self.labels) > len(labels) and None not in same_classes(labels, self.labels):
            return self.of_classes(labels)
        return self

    def with_channels(self, channels: int) -> DataSet:
        """Return the same set with one channel or three: grey is repeated, and colours become Pillow's grey (ITU-R 601, in integers).

        Raises
        ------
        GibbonError
            There is no such conversion.
        """
        own = self.shape[0]
        if own == channels:
            return self
        if (own, channels) == (1, 3):
            return replace(self, images=self.images.expand(-1, 3, -1, -1).contiguous())
        if (own, channels) != (3, 1):
            raise GibbonError(f"{self.name} has images of {own} channels, which cannot become {channels}. Choose another network.")
        red, green, blue = self.images.int().unbind(1)
        return replace(self, images=((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16).to(torch.uint8)[:, None])

    def _rows(self, indices: Sequence[int] | Tensor) -> Tensor:
        try:
            rows = torch.as_tensor(indices)
        except (TypeError, ValueError, RuntimeError):
            raise GibbonError(f"{named(indices)} names no images. Give a list of their numbers, counted from 0.") from None
        if rows.ndim != 1 or (rows.numel() and (rows.is_floating_point() or rows.is_complex() or rows.dtype == torch.bool)):
            raise GibbonError(f"Images are chosen by a list of whole numbers, not by {rows.dtype} {tuple(rows.shape)}. Give [0, 1], say.")
        if len(rows) and not -len(self) <= int(rows.min()) <= int(rows.max()) < len(self):
            raise GibbonError(
                f"{self.name} has {len(self)} images, counted from 0, but {int(rows.min())} to {int(rows.max())} were asked for."
            )
        return rows.long()
