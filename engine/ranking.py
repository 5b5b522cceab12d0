"""What an attacker wants: whether a prediction is it, and which of several candidates comes first, a success before any failure."""

from __future__ import annotations

import math
from typing import overload

import torch
from torch import Tensor


@overload
def reached(prediction: int, labels: int, targets: int | None) -> bool: ...


@overload
def reached(prediction: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor: ...


def reached(prediction: int | Tensor, labels: int | Tensor, targets: int | Tensor | None) -> bool | Tensor:
    """Whether a prediction is what the attacker wants: ``prediction != labels``, or with targets ``prediction == targets``.

    This is the one rule for success. A prediction that was made of NaN is no success; whoever may meet one has to say so beside it.

    Parameters
    ----------
    prediction, labels, targets
        Class numbers: all tensors ``(N,)`` that broadcast, or all single numbers. Targets None: any class but the label will do.

    Returns
    -------
    bool or Tensor
        As many as there are predictions.
    """
    return prediction != labels if targets is None else prediction == targets


def best_of(success: Tensor, score: Tensor, dim: int = 0) -> Tensor:
    """The place of the best candidate along ``dim``: a success before any failure, then the largest ``score``, then the earliest.

    ``argmax(where(any success, where(success, score, -inf), score))``. Nothing waits for the device.

    Parameters
    ----------
    success
        Bool, ``(..., candidates, ...)``.
    score
        Of the same shape, without NaN, which torch takes for the largest there is. To keep the smallest norm give minus the norm.
    dim
        Where the candidates lie.

    Returns
    -------
    Tensor
        int64, without ``dim``.
    """
    finite = score.clamp_min(torch.finfo(score.dtype).min)  # a success of score -inf still comes before a failure
    others = torch.where(success.any(dim, keepdim=True), -torch.inf, score)
    return torch.where(success, finite, others).argmax(dim)


def beats(success: Tensor, score: Tensor, held: Tensor, best: Tensor) -> Tensor:
    """Bool, element by element: whether a candidate comes before one whose success ``held`` and score ``best`` are.

    The order is that of `best_of`: ``(success and not held) or (success == held and score > best)``. A tie changes nothing, nor does NaN
    among equals.
    """
    return (success & ~held) | ((success == held) & (score > best))


def fraction(condition: Tensor) -> float:
    """The fraction of true entries, counted in integers, so that it is exact on devices without float64; NaN where there is no entry."""
    return int(condition.sum()) / condition.numel() if condition.numel() else math.nan
