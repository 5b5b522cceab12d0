"""The small network for CIFAR-10: five convolutions with batch normalisation."""

from __future__ import annotations

from torch import nn

from engine.defenses.rectifiers import MakeActivation


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
