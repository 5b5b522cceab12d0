"""A cell of a table: the verdicts of one model on the images of one attack, image by image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.evaluate.batch import ImageResults, ImageRow
from engine.evaluate.batch.summary import Share
from engine.evaluate.tables.plan import CellKey
from engine.evaluate.tables.posing import CellRun
from engine.images import digest

NORMS = ("l0", "l1", "l2", "linf")
TENSORS = ("labels", "before", "after", "after_8bit", "noise", "made", "targets", "failed", "norms")
"""The tensors of a cell, each with one entry for each image."""
LATER_TENSORS = ("top5_before", "top5_after", "silent", "unfinished")
"""Further tensors, which cells that were kept by earlier versions lack."""
TOP5_CLASSES = 10
"""Number of classes above which the label's being among the five most probable classes is counted, too."""


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The predictions of one model for the images of one attack, all tensors on the CPU."""

    labels: Tensor
    """The true classes ``(N,)``, as numbers of this model."""
    before: Tensor
    """Predictions ``(N,)`` for the clean images."""
    after: Tensor
    """Predictions ``(N,)`` for the adversarial images."""
    after_8bit: Tensor
    """Predictions ``(N,)`` for the adversarial images rounded to 8 bits, as in a PNG file."""
    noise: Tensor
    """Predictions ``(N,)`` for random noise as large as each perturbation; see `engine.evaluate.control`."""
    made: Tensor
    """Images ``(N,)`` bool on which the attack succeeded on the model that they were made on."""
    targets: Tensor
    """The target classes ``(N,)``, as numbers of this model; -1: untargeted."""
    failed: Tensor
    """Images ``(N,)`` bool for which a model gave NaN: attack errors, which are in no share."""
    norms: Tensor
    """The norms l0, l1, l2 and linf of each perturbation, ``(N, 4)``."""
    top5_before: Tensor | None = None
    """Images ``(N,)`` bool whose label is among the five most probable classes for the clean image; None: ten classes or fewer."""
    top5_after: Tensor | None = None
    """The same for the adversarial image."""
    silent: Tensor | None = None
    """Images ``(N,)`` bool that were adversarial on the attack's way only, on the model that they were made on."""
    unfinished: Tensor | None = None
    """How the attack ended on that model, ``(N,)`` int8; see `engine.evaluate.trust.measuring.unfinished_rows`."""

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sound(self) -> Tensor:
        """Images ``(N,)`` bool that are in the shares: all but the attack errors."""
        return ~self.failed

    @cached_property
    def right_before(self) -> Tensor:
        """Images ``(N,)`` bool whose clean image is classified correctly."""
        return (self.before == self.labels) & self.sound

    @cached_property
    def robust(self) -> Tensor:
        """Images ``(N,)`` bool that are right on the clean and on the adversarial image."""
        return self.right_before & (self.after == self.labels)

    @cached_property
    def robust_noise(self) -> Tensor:
        """Images ``(N,)`` bool that are right on the clean image and under the random noise."""
        return self.right_before & (self.noise == self.labels)

    @cached_property
    def success(self) -> Tensor:
        """Images ``(N,)`` bool that were right before and are wrong after, or at the target where there is one."""
        return self.right_before & self._reached(self.after)

    @cached_property
    def success_8bit(self) -> Tensor:
        """The same as ``success``, after rounding to 8 bits."""
        return self.right_before & self._reached(self.after_8bit)

    def _reached(self, prediction: Tensor) -> Tensor:
        return torch.where(self.targets >= 0, prediction == self.targets, prediction != self.labels)


def share(hits: Tensor, of: Tensor) -> Share:
    """Count a share with its interval: the ``hits`` among ``of``, both ``(N,)`` bool."""
    return Share(int((hits & of).sum()), int(of.sum()))


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell: the verdicts, or the sentence that says why there are none.

    Accuracies are over all images, success is over those that were right before: two numbers with two denominators, never mixed.
    """

    key: CellKey
    facts: Mapping[str, Any]
    """Everything that the cell depends on: model, maker, data, attack, seed. A kept cell is used again only if all of it is the same."""
    verdicts: Verdicts | None = None
    error: str = ""
    """A sentence that says why there are no verdicts; empty where there are."""
    class_names: tuple[str, ...] = ()
    """The class names of the evaluated model."""
    digests: tuple[str, ...] = ()
    """Hash of each adversarial image, see `engine.images.digest`."""
    places: tuple[int, ...] = ()
    """The images' numbers in the whole data set."""
    seconds: float = 0.0
    """Time of the attack and of this model's predictions."""
    _run: Callable[[Cell, int], CellRun] | None = field(default=None, repr=False)
    _image: Callable[[Cell, int], Tensor | None] | None = field(default=None, repr=False)
    _row: Callable[[Cell, int], tuple[ImageResults, ImageRow]] | None = field(default=None, repr=False)

    @property
    def images(self) -> int:
        """The number of images; 0 in a cell without verdicts."""
        return 0 if self.verdicts is None else len(self.verdicts)

    @property
    def clean(self) -> Share:
        """Accuracy on the clean images, over all of them."""
        return self._share("right_before", "sound")

    @property
    def robust(self) -> Share:
        """Robust accuracy: right on the clean and on the adversarial image, over all images."""
        return self._share("robust", "sound")

    @property
    def success(self) -> Share:
        """Attack success over the images that were right before."""
        return self._share("success", "right_before")

    @property
    def success_8bit(self) -> Share:
        """The same as ``success``, for the adversarial images rounded to 8 bits."""
        return self._share("success_8bit", "right_before")

    @property
    def has_top5(self) -> bool:
        """Whether top-5 accuracies were counted: the model has more than ten classes."""
        return self.verdicts is not None and self.verdicts.top5_before is not None

    @property
    def clean_top5(self) -> Share:
        """Top-5 accuracy on the clean images, over all of them."""
        return self._top5(after=False)

    @property
    def robust_top5(self) -> Share:
        """Robust top-5 accuracy: the label is among the five most probable classes of the clean and of the adversarial image."""
        return self._top5(after=True)

    def _top5(self, *, after: bool) -> Share:
        found = self.verdicts
        if found is None or found.top5_before is None or found.top5_after is None:
            return Share(0, 0)
        return share(found.top5_before & found.top5_after if after else found.top5_before, found.sound)

    @property
    def transfer(self) -> Share:
        """Transfer rate: the share that also succeeds here, of the images that succeed where they were made and that were right here."""
        if self.verdicts is None:
            return Share(0, 0)
        return share(self.verdicts.success, self.verdicts.right_before & self.verdicts.made)

    @property
    def noise(self) -> Share:
        """Robust accuracy under random noise as large as the perturbations."""
        return self._share("robust_noise", "sound")

    @property
    def right_after(self) -> Share:
        """Accuracy on the adversarial images whatever the prediction before: the number of papers that do not look at the clean image."""
        if self.verdicts is None:
            return Share(0, 0)
        return share(self.verdicts.after == self.verdicts.labels, self.verdicts.sound)

    def _share(self, hits: str, of: str) -> Share:
        return Share(0, 0) if self.verdicts is None else share(getattr(self.verdicts, hits), getattr(self.verdicts, of))

    def name(self, index: int) -> str:
        """Return the name of an image: the data set with its number there, such as ``mnist:test[120]``."""
        return f"{self.key.data}[{self.places[index] if self.places else index}]"

    def run(self, index: int) -> CellRun:
        """Return the inputs of the attack on image ``index``, which gives the same bits when it is run again.

        Raises
        ------
        GibbonError
            The cell has no such image, or a model or the data set cannot be loaded any more.
        """
        self._check(index)
        assert self._run is not None
        return self._run(self, index)

    def row(self, index: int) -> tuple[ImageResults, ImageRow]:
        """Return image ``index`` as a row of a batch of its own, which `engine.evaluate.batch.RowRun` attacks again with its timeline.

        Raises
        ------
        GibbonError
            The cell has no such image, or a model or the data set cannot be loaded any more.
        """
        self._check(index)
        assert self._row is not None
        return self._row(self, index)

    def kept(self, index: int) -> Tensor | None:
        """Return the adversarial image ``(C, H, W)`` if it was kept; None: `adversarial` attacks it again."""
        self._check(index)
        image = None if self._image is None else self._image(self, index)
        return image if image is not None and digest(image) == self.digests[index] else None

    def adversarial(self, index: int) -> Tensor:
        """Return the adversarial image ``(C, H, W)``: the kept one, or else the same bits made again.

        Raises
        ------
        GibbonError
            The image cannot be made again with the same bits, such as on another device.
        """
        kept = self.kept(index)
        if kept is not None:
            return kept
        image = self.run(index).result().adversarial[0].cpu()
        if digest(image) != self.digests[index]:
            raise GibbonError(
                f"Image {index} of “{self.key.model}” under “{self.key.attack}” is not the one that the table was made with. "
                "Use the device, the number of threads and the versions that its record names."
            )
        return image

    def _check(self, index: int) -> None:
        if self.verdicts is None:
            raise GibbonError(f"This cell has no images. {self.error}")
        if not 0 <= index < len(self.verdicts):
            raise GibbonError(f"There is no image {index}: the cell has {len(self.verdicts)}, counted from 0.")
