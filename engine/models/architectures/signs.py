"""The network for traffic signs: six convolutions with batch normalisation."""

from __future__ import annotations

from torch import nn

from engine.defenses.rectifiers import MakeActivation


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
