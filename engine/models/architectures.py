"""The networks that ship with weights: digits (MNIST), signs (GTSRB) and objects (CIFAR-10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from engine.class_matching import class_numbers
from engine.classifier import Classifier
from engine.data import DataSet
from engine.data.labels import CIFAR10_LABELS, DIGIT_LABELS, SIGN_LABELS
from engine.defenses.rectifiers import Activation, MakeActivation, maker
from engine.errors import GibbonError


class Digits(nn.Sequential):
    """Two convolutions of 5x5 and two dense layers, for 1x28x28 and 10 classes: 38,390 parameters with ReLU."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.act1 = activation()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.act2 = activation()
        self.pool2 = nn.MaxPool2d(2)
        self.flat = nn.Flatten()
        self.dense1 = nn.Linear(20 * 4 * 4, 100)
        self.act3 = activation()
        self.dense2 = nn.Linear(100, 10)


class Signs(nn.Sequential):
    """Six convolutions of 3x3 with batch normalisation, for 3x32x32 and 43 classes: 309,515 parameters with ReLU."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        widths = (3, 32, 32, 64, 64, 128, 128)
        for index in range(1, 7):
            self.add_module(f"conv{index}", nn.Conv2d(widths[index - 1], widths[index], 3, padding=1, bias=False))
            self.add_module(f"norm{index}", nn.BatchNorm2d(widths[index]))
            self.add_module(f"act{index}", activation())
            # Pooling follows the first, third and fifth: two convolutions at full size would triple the cost of a pass.
            if index % 2 == 1:
                self.add_module(f"pool{index}", nn.MaxPool2d(2))
        # Pool 4x4 to 2x2, not to 1x1: the place of a stroke distinguishes "turn left" from "turn right".
        self.pool6 = nn.AvgPool2d(2)
        self.flat = nn.Flatten()
        self.dense = nn.Linear(128 * 2 * 2, 43)


class Objects(nn.Sequential):
    """Five convolutions of 3x3 with batch normalisation, for 3x32x32 and 10 classes: 139,802 parameters with ReLU."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        widths = (3, 16, 32, 64, 64, 128)
        for index in range(1, 6):
            self.add_module(f"conv{index}", nn.Conv2d(widths[index - 1], widths[index], 3, padding=1, bias=False))
            self.add_module(f"norm{index}", nn.BatchNorm2d(widths[index]))
            self.add_module(f"act{index}", activation())
            if index in (1, 2, 4):
                self.add_module(f"pool{index}", nn.MaxPool2d(2))
        self.pool5 = nn.AvgPool2d(2)
        self.flat = nn.Flatten()
        self.dense = nn.Linear(128 * 2 * 2, 10)


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

    def labels_for(self, images: DataSet) -> tuple[str, ...]:
        """Return the architecture's own class names where the data set has them, else those of the data set.

        Raises
        ------
        GibbonError
            The data set has another number of classes.
        """
        if None not in class_numbers(images.labels, self.labels):
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


ARCHITECTURES: dict[str, Architecture] = {
    "digits": Architecture(
        name="digits",
        network=Digits,
        input_shape=(1, 28, 28),
        labels=DIGIT_LABELS,
        mean=(0.1307,),
        std=(0.3081,),
        data_set="mnist",
    ),
    "signs": Architecture(
        name="signs",
        network=Signs,
        input_shape=(3, 32, 32),
        labels=SIGN_LABELS,
        mean=(0.34, 0.31, 0.32),
        std=(0.28, 0.27, 0.28),
        data_set="gtsrb",
    ),
    "objects": Architecture(
        name="objects",
        network=Objects,
        input_shape=(3, 32, 32),
        labels=CIFAR10_LABELS,
        mean=(0.49, 0.48, 0.45),
        std=(0.25, 0.24, 0.26),
        data_set="cifar10",
    ),
}
