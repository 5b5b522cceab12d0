"""An AlexNet-like network with batch normalisation for CIFAR-10."""

from __future__ import annotations

from torch import nn

from engine.defenses.rectifiers import MakeActivation


class AlexNetObjects(nn.Sequential):
    """Five convolutions with batch normalisation and three dense layers, for 3x32x32 and 10 classes.

    The order of AlexNet (Krizhevsky, Sutskever, Hinton 2012) with kernels of 5 and 3 for small images, as widths 64, 192, 384, 256, 256.
    """

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        widths, kernels = (3, 64, 192, 384, 256, 256), (5, 5, 3, 3, 3)
        for index, kernel in enumerate(kernels, 1):
            self.add_module(f"conv{index}", nn.Conv2d(widths[index - 1], widths[index], kernel, padding=kernel // 2, bias=False))
            self.add_module(f"norm{index}", nn.BatchNorm2d(widths[index]))
            self.add_module(f"act{index}", activation())
            if index in (1, 2, 5):
                self.add_module(f"pool{index}", nn.MaxPool2d(2))
        self.flat = nn.Flatten()
        self.dense1 = nn.Linear(256 * 4 * 4, 512)
        self.act6 = activation()
        self.dropout1 = nn.Dropout(0.5)
        self.dense2 = nn.Linear(512, 256)
        self.act7 = activation()
        self.dropout2 = nn.Dropout(0.5)
        self.dense3 = nn.Linear(256, 10)
