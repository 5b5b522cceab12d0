"""An architecture: how a network is built, and the images it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.utils._device  # `with torch.device(...)` would import it in whatever thread enters it first
from torch import nn

from engine.classifier import Classifier
from engine.data import DataSet
from engine.defenses.rectifiers import Activation, MakeActivation, maker
from engine.errors import GibbonError


@dataclass(frozen=True)
class Architecture:
    """A network architecture: its builder, and the normalisation of its input."""

    name: str
    network: Callable[[MakeActivation], nn.Module]
    input_shape: tuple[int, int, int]
    labels: tuple[str, ...]
    mean: tuple[float, ...]
    """The mean that is subtracted from pixels in [0, 1], per channel."""
    std: tuple[float, ...]
    """The standard deviation that divides the difference, per channel."""
    data_set: str
    """The slug in ``engine.data`` of the data set that it was made for."""

    def build(self, activation: Activation | str = "relu", *, slope: float = 0.01, sign: int = -1) -> nn.Module:
        """Build a freshly initialised network whose rectifiers are ``activation``, one module per layer.

        It maps normalised input, ``(x - mean) / std``, to logits.
        """
        return self.network(maker(activation, slope=slope, sign=sign))

    def images_for(self, images: DataSet) -> DataSet:
        """Return the images of this network's classes, where the data set has these and others, such as all ten digits; else all."""
        return images.among(self.labels)

    def labels_for(self, images: DataSet) -> tuple[str, ...]:
        """Return the architecture's own class names where the data set has them, else those of the data set.

        Raises
        ------
        GibbonError
            The data set has another number of classes.
        """
        if None not in images.numbers_in(self.labels):
            return self.labels
        if len(images.labels) != len(self.labels):
            raise GibbonError(
                f"{images.name} has {len(images.labels)} classes, but “{self.name}” is a network for {len(self.labels)}. "
                "Choose another data set or another network."
            )
        return images.labels

    def untrained(
        self,
        activation: Activation | str = "relu",
        *,
        slope: float = 0.01,
        sign: int = -1,
        device: torch.device | str | None = None,
        labels: Sequence[str] | None = None,
    ) -> Classifier:
        """Return an untrained classifier, for ``engine.defenses.Train`` to train from scratch.

        ``labels`` replaces the class names of the architecture's own data set; the number must be the same.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = self.build(activation, slope=slope, sign=sign)
        card = {"architecture": self.name, "activation": activation, "data_set": self.data_set}
        return Classifier(
            network, tuple(labels or self.labels), self.input_shape, self.mean, self.std, name=self.name, device=device, card=card
        )
