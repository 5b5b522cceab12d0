"""The networks of the paper on Gaussian data augmentation and bounded ReLU (Zantedeschi, Nicolae, Rawat 2017, arXiv 1707.06728)."""

from __future__ import annotations

from torch import Tensor, nn

from engine.defenses.rectifiers import MakeActivation


class CNNDigits(nn.Sequential):
    """Three convolutions with large kernels and strides and one dense layer, for 1x28x28 and 10 classes: 710,218 parameters."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        self.pad1 = nn.ZeroPad2d((3, 3, 3, 3))
        self.conv1 = nn.Conv2d(1, 64, 8, stride=2)
        self.act1 = activation()
        self.conv2 = nn.Conv2d(64, 128, 6, stride=2)
        self.act2 = activation()
        self.conv3 = nn.Conv2d(128, 128, 5)
        self.act3 = activation()
        self.flat = nn.Flatten()
        self.dense = nn.Linear(128, 10)


class Bottleneck(nn.Module):
    """An identity block: ``act(x + conv1x1(act(conv3x3(act(conv1x1(x))))))``."""

    def __init__(self, width: int, inner: int, activation: MakeActivation) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, inner, 1)
        self.act1 = activation()
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1)
        self.act2 = activation()
        self.conv3 = nn.Conv2d(inner, width, 1)
        self.act3 = activation()

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the input and the three convolutions, rectified."""
        inside = self.act2(self.conv2(self.act1(self.conv1(x))))
        return self.act3(x + self.conv3(inside))  # type: ignore[no-any-return]


class ResNetDigits(nn.Sequential):
    """The first two convolutions of `CNNDigits`, one bottleneck, pooling and one dense layer: 353,994 parameters."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        self.pad1 = nn.ZeroPad2d((3, 3, 3, 3))
        self.conv1 = nn.Conv2d(1, 64, 8, stride=2)
        self.act1 = activation()
        self.conv2 = nn.Conv2d(64, 128, 6, stride=2)
        self.act2 = activation()
        self.block = Bottleneck(128, 64, activation)
        self.pool = nn.MaxPool2d(3)
        self.flat = nn.Flatten()
        self.dense = nn.Linear(128, 10)


class CNNObjects(nn.Sequential):
    """Two convolutions, two dense layers and dropout, for 3x32x32 and 10 classes: 1,592,902 parameters."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.act1 = activation()
        self.pool1 = nn.MaxPool2d(2)
        self.dropout1 = nn.Dropout(0.5)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.act2 = activation()
        self.pool2 = nn.MaxPool2d(2)
        self.dropout2 = nn.Dropout(0.5)
        self.flat = nn.Flatten()
        self.dense1 = nn.Linear(64 * 7 * 7, 500)
        self.act3 = activation()
        self.dropout3 = nn.Dropout(0.5)
        self.dense2 = nn.Linear(500, 10)
