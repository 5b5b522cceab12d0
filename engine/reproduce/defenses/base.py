"""Base of the experiments on defenses: they train their networks once, attack them, and come in two sizes."""

from __future__ import annotations

from abc import ABC
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

import torch

from engine.classifier import Classifier
from engine.data import DataSet
from engine.download import Progress
from engine.errors import GibbonError
from engine.models import ARCHITECTURES
from engine.operation import Problem
from engine.parameters import data, schedule
from engine.reproduce.defenses.stages import Stage
from engine.reproduce.defenses.trained import Recipe, network_folder, trained
from engine.reproduce.experiment import Experiment, Report
from engine.text.formatting import counted

_DRAWN_TRAINING, _DRAWN_TEST = 200, 50
"""Drawn images where the data set is missing."""


@dataclass(frozen=True)
class Amounts:
    """The numbers of images and epochs of an experiment."""

    training_images: int | None
    """Number of images to train on; None: all."""
    images: int | None
    """Number of images to attack; None: all."""
    epochs: int


class DefenseExperiment(Experiment, ABC):
    """An experiment that trains networks by recipes, keeps them in the cache folder, and attacks them."""

    model: ClassVar[str] = ""
    architecture: ClassVar[str]
    """The network that it trains, a key of `engine.models.ARCHITECTURES`."""
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({})
    """The amounts of "full" and "quick"."""

    size: Literal["full", "quick"] = schedule("full")
    """full: as much as the tolerances are for. quick: fewer images and epochs, for a first look; its numbers do not compare."""
    training_images: int | None = data(None, ge=20, none="by the size", unit="images")
    """Number of images to train on, spread evenly over the set. None: by the size."""
    attacked_images: int | None = data(None, ge=1, none="by the size", unit="images")
    """Number of test images to attack, spread evenly over the set. None: by the size."""
    epochs: int | None = schedule(None, ge=1, le=1000, none="by the size")
    """Number of passes over the training images. None: by the size."""
    cache: Path | None = data(None, exclude=True, none="this platform's cache folder")
    """Folder in which the trained networks are kept, so that they are trained once. None: in this platform's cache folder."""

    @property
    def amount(self) -> Amounts:
        """The amounts in use, given or by the size."""
        usual = self.amounts[self.size]
        return Amounts(self.training_images or usual.training_images, self.attacked_images or usual.images, self.epochs or usual.epochs)

    @classmethod
    def load(cls, device: torch.device | str | None = None, download: bool = False, progress: Progress | None = None) -> Classifier:
        """Return the untrained network of the experiment."""
        return ARCHITECTURES[cls.architecture].untrained(device=device)

    def sets(self, problem: Problem, report: Report) -> Generator[str, None, tuple[DataSet, DataSet]]:
        """Load the training images and all test images; note where there are fewer than the tolerances are for.

        Raises
        ------
        GibbonError
            Another network than the experiment's own was given.
        """
        if problem.classifier.whole.fingerprint != self.load("cpu").fingerprint:
            raise GibbonError("This experiment trains its own networks. Leave --model out.")
        full = self.amounts["full"]
        amount = self.amount
        train = yield from self.images(report, "train", _DRAWN_TRAINING, take=amount.training_images)
        test = yield from self.images(report, "test", _DRAWN_TEST, seed=1)
        if (amount.training_images, amount.epochs) != (full.training_images, full.epochs):
            report.comparable = False
            report.note(
                f"Trained on {len(train):,} images for {counted(amount.epochs, 'epoch')}; the tolerances are for "
                f"{'all' if full.training_images is None else f'{full.training_images:,}'} images and {counted(full.epochs, 'epoch')}."
            )
        return train, test

    def chosen(self, test: DataSet, count: int | None = None) -> DataSet:
        """Return the test images that are attacked, spread evenly over the set: ``count``, None: by the amounts."""
        wanted = count or self.amount.images
        if wanted is None or wanted >= len(test):
            return test
        return test.subset(torch.arange(wanted) * len(test) // wanted)

    def network(self, problem: Problem, recipe: Recipe, train: DataSet) -> Stage[Classifier]:
        """Return the trained network of a recipe, from the cache where it is there."""
        return trained(problem, recipe, train, network_folder(self.cache))
