"""A maxout network for digits: dense layers that take the largest of several linear pieces."""

from __future__ import annotations

from torch import Tensor, nn

from engine.defenses.rectifiers import MakeActivation


class Maxout(nn.Module):
    """A dense layer whose unit is the largest of ``pieces`` linear functions, ``max_k (W_k x + b_k)``.

    Goodfellow et al. 2013, arXiv 1302.4389.
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.units, self.pieces = units, pieces
        self.linear = nn.Linear(inputs, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest piece of each unit, ``(N, units)``."""
        return self.linear(x).view(len(x), self.units, self.pieces).amax(2)  # type: ignore[no-any-return]


class MaxoutDigits(nn.Sequential):
    """Two maxout layers of 128 units with 3 pieces and dropout of 0.3, for 1x28x28 and 10 classes: 352,266 parameters.

    A maxout unit is its own non-linearity: there is no rectifier to exchange.
    """

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        self.flat = nn.Flatten()
        self.maxout1 = Maxout(28 * 28, 128, 3)
        self.dropout1 = nn.Dropout(0.3)
        self.maxout2 = Maxout(128, 128, 3)
        self.dropout2 = nn.Dropout(0.3)
        self.dense = nn.Linear(128, 10)
