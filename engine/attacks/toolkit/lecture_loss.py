"""The loss of Wang's lecture: Keras' binary cross-entropy with its two arguments swapped, which is linear in the probability."""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from engine.attacks.toolkit.losses import cross_entropy, soft_margin

TowardsLoss = Literal["ce", "prob_linear"]
_HIT, _MISS = -math.log(2**-23), -math.log(1e-7)
"""Logarithms of a one-hot target that Keras clips in float32: 1 - 1e-7 is rounded to 1 - 2^-23."""


def swapped(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ``(15.942 + 16.118) / K * (1 - p_t)``, ``(N,)``: for ten classes ``3.206 * (1 - p_t)``.

    The lecture calls ``binary_crossentropy(pred, target)``, but Keras takes the truth first: the logarithm is then that of the clipped
    one-hot target, a constant, and the mean over the K classes ``(15.942 * (1 - p_t) + 16.118 * sum_{j != t} p_j) / K``. Its gradient
    carries the factor ``p_t * (1 - p_t)``: where the classifier is confident of any class, target or not, it almost vanishes.
    """
    return (_HIT + _MISS) / logits.shape[1] * soft_margin(logits, targets).sigmoid()


def lowered_loss(name: TowardsLoss, logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss ``(N,)`` that gradient descent minimises, with its own scale: the length of a step is that of the gradient."""
    return swapped(logits, targets) if name == "prob_linear" else F.cross_entropy(logits, targets, reduction="none")


def distance_to(name: TowardsLoss, logits: Tensor, targets: Tensor) -> Tensor:
    """Return the same loss for reports, ``(N,)``, without a graph and in full precision."""
    logits = logits.detach()
    return swapped(logits, targets) if name == "prob_linear" else cross_entropy(logits, targets)


def target_probability(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the probability of the target ``p_t``, ``(N,)``."""
    return soft_margin(logits.detach(), targets).neg().sigmoid()
