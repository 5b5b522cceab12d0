"""The network for digits that the lecture trains: two convolutions and two dense layers."""

from __future__ import annotations

from torch import nn

from engine.defenses.rectifiers import MakeActivation


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
