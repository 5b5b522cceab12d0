"""Length and speed of a training: epochs, batches, learning rate, and the optimiser's parameter groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

Rates = Literal["one-cycle", "constant", "steps"]
Optimiser = Literal["adamw", "adam", "sgd"]


@dataclass(frozen=True)
class Schedule:
    """Length and speed of a training."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warm_up: float = 0.2
    """The share of all batches during which the rate of "one-cycle" rises."""
    optimiser: Optimiser = "adamw"
    rates: Rates = "one-cycle"

    def rate(self, done: float) -> float:
        """Return the learning rate after the share ``done`` of all batches.

        "one-cycle" rises linearly during the warm-up and then falls as a cosine to 0; "steps" falls to a tenth after half and again after
        three quarters; "constant" stays.
        """
        if self.rates == "constant":
            return self.learning_rate
        if self.rates == "steps":
            return self.learning_rate * 0.1 ** ((done >= 0.5) + (done >= 0.75))
        if done < self.warm_up:
            return self.learning_rate * (0.05 + 0.95 * done / self.warm_up)
        return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (done - self.warm_up) / (1.0 - self.warm_up)))

    def optimiser_of(self, network: nn.Module) -> torch.optim.Optimizer:
        """Return the optimiser of the network's parameters."""
        groups = _groups(network, self.weight_decay)
        if self.optimiser == "sgd":
            return torch.optim.SGD(groups, lr=self.learning_rate, momentum=0.9)
        if self.optimiser == "adam":
            return torch.optim.Adam(groups, lr=self.learning_rate)
        return torch.optim.AdamW(groups, betas=(0.9, 0.99))


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Group parameters by weight decay: right for kernels, wrong for biases, normalisation and the rectifiers' bounds."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
