"""What an attacker raises, per image: cross-entropy, margin, and difference of logits ratio.

Each loss is a pair: ``value`` is reported and compared, ``ascent`` is differentiated. They differ in one thing. In float32 the label's
part of the cross-entropy gradient is ``p - 1``, which loses digits as the margin grows, is exactly 0 beyond a margin of about 17, and
beyond about 87 all of the gradient is. Cross-entropy is ``softplus`` of the soft margin, so the soft margin has the same direction of
ascent without the rounding. ``"ce"`` is the literal loss, as the libraries have it, and falls back on the soft margin only where its own
gradient would vanish; ``"stable-ce"`` always takes the soft margin. Every direction used here (sign, normalised, quantile) ignores a
row's scale, so rows of either kind may share a batch.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LossName = Literal["ce", "stable-ce", "margin", "dlr"]
VANISHED = 80.0
"""Soft margin beyond which exp underflows in float32, and with it the gradient of the cross-entropy."""


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
    classes, sign = (labels, 1) if targets is None else (targets, -1)
    if name == "margin":
        return sign * hard_margin(logits, classes)
    margin = soft_margin(logits, classes)
    if name == "stable-ce":
        return sign * margin
    plain = F.cross_entropy(logits, classes, reduction="none")
    return sign * torch.where(margin < -VANISHED, margin, plain)


def value(name: LossName, logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """The loss to report, ``(N,)``: cross-entropy of the label, or minus that of the target; margins as they are."""
    logits = logits.detach()
    if name not in ("ce", "stable-ce"):
        return ascent(name, logits, labels, targets)
    if targets is None:
        return cross_entropy(logits, labels)
    return -cross_entropy(logits, targets)


def cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy per image, ``(N,)``: ``log(1 + exp(soft margin))`` with every digit on both sides of 0."""
    margin = soft_margin(logits, classes)
    return margin.clamp_min(0) + torch.log1p(torch.exp(-margin.abs()))
