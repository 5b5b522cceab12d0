"""The two networks that ship with weights: digits (MNIST) and signs (GTSRB)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from engine.defenses.activations import Bounded, BoundedLeaky
from engine.errors import GibbonError
from engine.data.labels import DIGIT_LABELS, SIGN_LABELS

Activation = Literal["relu", "bounded", "bounded-leaky"]
MakeActivation = Callable[[], nn.Module]


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
    """Six convolutions of 3x3 with batch normalisation, for 3x32x32 and 43 classes: 0.31 million parameters."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        widths = (3, 32, 32, 64, 64, 128, 128)
        for index in range(1, 7):
            self.add_module(f"conv{index}", nn.Conv2d(widths[index - 1], widths[index], 3, padding=1, bias=False))
            self.add_module(f"norm{index}", nn.BatchNorm2d(widths[index]))
            self.add_module(f"act{index}", activation())
            # After the first, third and fifth: two convolutions at full size would triple the cost of a pass.
            if index % 2 == 1:
                self.add_module(f"pool{index}", nn.MaxPool2d(2))
        # 4x4 down to 2x2, not to 1x1: where a stroke stands tells "turn left" from "turn right".
        self.pool6 = nn.AvgPool2d(2)
        self.flat = nn.Flatten()
        self.dense = nn.Linear(128 * 2 * 2, 43)


@dataclass(frozen=True)
class Architecture:
    """How to build one network, and what its input means."""

    name: str
    network: Callable[[MakeActivation], nn.Module]
    input_shape: tuple[int, int, int]
    labels: tuple[str, ...]
    mean: tuple[float, ...]
    """Subtracted from pixels in [0, 1], per channel."""
    std: tuple[float, ...]
    """Divides what is left, per channel."""
    data_set: str
    """The slug in ``engine.data`` of the set it was made for."""
    normalised: bool
    """Whether batch normalisation precedes its rectifiers: their bounds then start at 1."""

    def build(self, activation: Activation | str = "relu", *, slope: float = 0.01, sign: int = -1) -> nn.Module:
        """Give a freshly initialised network whose rectifiers are ``activation``, one module per layer.

        It takes normalised input, ``(x - mean) / std``, and gives logits.
        """
        return self.network(maker(activation, slope=slope, sign=sign))


def maker(activation: Activation | str, *, slope: float = 0.01, sign: int = -1) -> MakeActivation:
    """Give a function that makes one rectifier: "relu", "bounded" or "bounded-leaky"."""
    makers: dict[str, MakeActivation] = {
        "relu": nn.ReLU,
        "bounded": Bounded,
        "bounded-leaky": lambda: BoundedLeaky(slope=slope, sign=sign),
    }
    if activation not in makers:
        raise GibbonError(f'There is no activation "{activation}": use one of {", ".join(makers)}.')
    return makers[activation]


ARCHITECTURES: dict[str, Architecture] = {
    "digits": Architecture(
        name="digits",
        network=Digits,
        input_shape=(1, 28, 28),
        labels=DIGIT_LABELS,
        mean=(0.1307,),
        std=(0.3081,),
        data_set="mnist",
        normalised=False,
    ),
    "signs": Architecture(
        name="signs",
        network=Signs,
        input_shape=(3, 32, 32),
        labels=SIGN_LABELS,
        mean=(0.34, 0.31, 0.32),
        std=(0.28, 0.27, 0.28),
        data_set="gtsrb",
        normalised=True,
    ),
}
