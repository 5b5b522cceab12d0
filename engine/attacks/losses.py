"""What an attacker raises, per image: cross-entropy, margin, and difference of logits ratio.

Each loss is a pair. ``value`` is reported and compared; ``ascent`` is what is differentiated: a function of the logits that is a rising
function of the value, so that both have the same direction of ascent in every row, but that does not saturate. In float32 the true
class's part of the cross-entropy gradient is exactly 0 once its margin exceeds about 17; the margin that it is a function of has none of
that. Every direction used here (sign, normalised, quantile) ignores a row's scale, so nothing else changes.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LossName = Literal["ce", "margin", "dlr"]


def _others(logits: Tensor, classes: Tensor) -> Tensor:
    """``logits`` with the entry of ``classes`` out of play."""
    return logits.scatter(1, classes[:, None], float("-inf"))


def soft_margin(logits: Tensor, classes: Tensor) -> Tensor:
    """``log sum_{j != c} exp(z_j) - z_c``, ``(N,)``: cross-entropy is ``softplus`` of it."""
    return _others(logits, classes).logsumexp(1) - logits.gather(1, classes[:, None])[:, 0]


def hard_margin(logits: Tensor, classes: Tensor) -> Tensor:
    """``max_{j != c} z_j - z_c``, ``(N,)``: positive where the prediction is not c."""
    return _others(logits, classes).amax(1) - logits.gather(1, classes[:, None])[:, 0]


def _dlr(logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """Croce & Hein 2020 (2003.01690): the margin over the spread of the largest logits, free of shift and scale."""
    ordered = logits.sort(dim=1, descending=True).values
    if targets is None:
        spread = ordered[:, 0] - ordered[:, min(2, logits.shape[1] - 1)]
        return hard_margin(logits, labels) / spread.clamp_min(1e-12)
    gap = logits.gather(1, targets[:, None])[:, 0] - logits.gather(1, labels[:, None])[:, 0]
    last = min(3, logits.shape[1] - 1)
    spread = ordered[:, 0] - (ordered[:, min(2, logits.shape[1] - 1)] + ordered[:, last]) / 2
    return gap / spread.clamp_min(1e-12)


def ascent(name: LossName, logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """What to differentiate, ``(N,)``: raised by the attacker, away from the label or towards the target."""
    if name == "dlr":
        return _dlr(logits, labels, targets)
    margin = soft_margin if name == "ce" else hard_margin
    return margin(logits, labels) if targets is None else -margin(logits, targets)


def value(name: LossName, raised: Tensor, targets: Tensor | None) -> Tensor:
    """The loss to report for what ``ascent`` gave: cross-entropy of the label, or minus that of the target; margins as they are."""
    if name != "ce":
        return raised.detach()
    raised = raised.detach()
    # softplus switches to the identity above 20; log(1 + exp(-|x|)) keeps every digit on both sides.
    sign = 1.0 if targets is None else -1.0
    margin = sign * raised
    return sign * (margin.clamp_min(0) + torch.log1p(torch.exp(-margin.abs())))


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy per image, ``(N,)``."""
    return F.cross_entropy(logits, labels, reduction="none")
