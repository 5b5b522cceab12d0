"""The attacker's goal: whether a prediction reaches it, and the order of candidates, any success before any failure."""

from __future__ import annotations

import math
from typing import overload

import torch
from torch import Tensor

_LAST_DIGITS = 16
"""Units in the last place of the largest logit. Measured on the shipped networks, batches of 1 to 64: 7 at most."""


@overload
def reached(prediction: int, labels: int, targets: int | None) -> bool: ...


@overload
def reached(prediction: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor: ...


def reached(prediction: int | Tensor, labels: int | Tensor, targets: int | Tensor | None) -> bool | Tensor:
    """Return whether a prediction is a success of the attacker: ``prediction != labels``, or with targets ``prediction == targets``.

    This is the one rule for success. A prediction that comes from NaN is no success; a caller that may meet one has to exclude it.

    Parameters
    ----------
    prediction, labels, targets
        Class numbers: all tensors ``(N,)`` that broadcast, or all single numbers. Targets None: untargeted.

    Returns
    -------
    bool or Tensor
        One value per prediction.
    """
    return prediction != labels if targets is None else prediction == targets


def rounding(logits: Tensor) -> Tensor:
    """Return ``(...)`` for logits ``(..., K)``: the largest difference of two of them that the order of additions alone explains."""
    return _LAST_DIGITS * torch.finfo(logits.dtype).eps * logits.abs().amax(-1)


def best_of(success: Tensor, score: Tensor, dim: int = 0) -> Tensor:
    """Return the index of the best candidate along ``dim``: a success before any failure, then the largest ``score``, then the earliest.

    ``argmax(where(any success, where(success, score, -inf), score))``. Nothing waits for the device.

    Parameters
    ----------
    success
        Bool, ``(..., candidates, ...)``.
    score
        Scores of the same shape, without NaN, which torch treats as the largest value. For the smallest norm pass minus the norm.
    dim
        The axis of the candidates.

    Returns
    -------
    Tensor
        Indices as int64, without the axis ``dim``.
    """
    finite = score.clamp_min(torch.finfo(score.dtype).min)  # a success of score -inf still comes before a failure
    others = torch.where(success.any(dim, keepdim=True), -torch.inf, score)
    return torch.where(success, finite, others).argmax(dim)


def beats(success: Tensor, score: Tensor, held: Tensor, best: Tensor) -> Tensor:
    """Return element by element whether a candidate ranks before one of success ``held`` and score ``best``.

    The order is that of `best_of`: ``(success and not held) or (success == held and score > best)``. A tie changes nothing, nor does NaN
    among equals.
    """
    return (success & ~held) | ((success == held) & (score > best))


def fraction(condition: Tensor) -> float:
    """Return the fraction of true entries, counted in integers (exact on devices without float64); NaN where there is no entry."""
    return int(condition.sum()) / condition.numel() if condition.numel() else math.nan
