"""Logistic regression on two digits, the linear model of the lectures."""

from __future__ import annotations

from torch import nn

from engine.defenses.rectifiers import MakeActivation


class LogisticDigits(nn.Sequential):
    """One dense layer from 1x28x28 to two classes, 3 and 7: 1,570 parameters. It has no rectifier."""

    def __init__(self, activation: MakeActivation = nn.ReLU) -> None:
        super().__init__()
        self.flat = nn.Flatten()
        self.dense = nn.Linear(28 * 28, 2)
