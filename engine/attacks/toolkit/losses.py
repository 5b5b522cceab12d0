"""Losses that an attacker maximises, per image: cross-entropy, margin, and difference of logits ratio.

Each loss is a pair: ``value`` is reported and compared, ``ascent`` is differentiated; ``assess`` gives both at a lower price. They differ
in one thing. In float32 the label's part of the cross-entropy gradient is ``p - 1``, which loses digits as the margin grows, is exactly 0
beyond a margin of about 17, and beyond about 87 all of the gradient is. Cross-entropy is ``softplus`` of the soft margin, so the soft
margin has the same direction of ascent without the rounding. ``"ce"`` is the literal loss of other libraries with two exceptions: a label's
slope that is rounded to 0 becomes 2^-14 of the exact one, ``-sigmoid(soft margin)``, which matters only if the other logits do not depend
on the image; and beyond `VANISHED` the soft margin replaces it. ``"stable-ce"`` always takes the soft margin. The attacks that use
``assess`` step by the sign, the normalised gradient or its quantile, which ignore a row's scale down to the smallest numbers of float32, so
rows of either kind may share a batch. With an ``objective`` beside it the scale does count.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import GibbonError

LossName = Literal["ce", "stable-ce", "margin", "dlr"]
VANISHED = 80.0
"""Soft margin beyond which exp underflows in float32, and with it the gradient of the cross-entropy."""
_CONFIDENT = 0.01
"""Cross-entropy below which float32 keeps fewer than four digits of it, since it is the difference of two logarithms."""
_FAINT = 2.0**-14
"""Share of the label's exact slope that replaces a literal slope of 0. Larger values change which images flip, compared with Foolbox and
torchattacks.
"""


def _others(logits: Tensor, classes: Tensor) -> Tensor:
    """Return ``logits`` with -inf at the entries of ``classes``."""
    return logits.scatter(1, classes[:, None], float("-inf"))


def soft_margin(logits: Tensor, classes: Tensor) -> Tensor:
    """Return ``log sum_{j != c} exp(z_j) - z_c``, ``(N,)``; the cross-entropy is its ``softplus``."""
    return _others(logits, classes).logsumexp(1) - logits.gather(1, classes[:, None])[:, 0]


def hard_margin(logits: Tensor, classes: Tensor) -> Tensor:
    """Return ``max_{j != c} z_j - z_c``, ``(N,)``, which is positive where the prediction is not c."""
    return _others(logits, classes).amax(1) - logits.gather(1, classes[:, None])[:, 0]


def _dlr(logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """Return the margin over the spread of the largest logits, free of shift and scale: Croce & Hein 2020 (2003.01690)."""
    ordered = logits.sort(dim=1, descending=True).values
    if targets is None:
        spread = ordered[:, 0] - ordered[:, min(2, logits.shape[1] - 1)]
        return hard_margin(logits, labels) / spread.clamp_min(1e-12)
    gap = logits.gather(1, targets[:, None])[:, 0] - logits.gather(1, labels[:, None])[:, 0]
    last = min(3, logits.shape[1] - 1)
    spread = ordered[:, 0] - (ordered[:, min(2, logits.shape[1] - 1)] + ordered[:, last]) / 2
    return gap / spread.clamp_min(1e-12)


def ascent(name: LossName, logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """Return the function ``(N,)`` to differentiate, which the attacker maximises, away from the label or towards the target."""
    if name == "dlr":
        return _dlr(logits, labels, targets)
    classes, sign = (labels, 1) if targets is None else (targets, -1)
    if name == "margin":
        return sign * hard_margin(logits, classes)
    margin = soft_margin(logits, classes)
    if name == "stable-ce":
        return sign * margin
    plain = F.cross_entropy(logits, classes, reduction="none")
    own = logits.gather(1, classes[:, None])[:, 0]
    # Value 0, gradient _FAINT * sigmoid(margin): it keeps a direction where float32 rounds p - 1 to 0. `_slope` has the same as a minimum.
    faint = _FAINT * margin.detach().sigmoid() * (own.detach() - own)
    sure = logits.detach().softmax(1).gather(1, classes[:, None])[:, 0] == 1
    return sign * torch.where(margin < -VANISHED, margin, torch.where(sure, plain + faint, plain))


class Assessed(NamedTuple):
    """A function to differentiate: the attacker's gradient is that of ``(weights * value).sum()``."""

    value: Tensor
    """The loss ``(N,)``, or the logits ``(N, K)``, with their graph."""
    weights: Tensor
    """Weights of the shape of ``value``."""
    loss: Tensor
    """The loss ``(N,)`` that `value` reports, without a graph."""


def assess(name: LossName, logits: Tensor, labels: Tensor, targets: Tensor | None) -> Assessed:
    """Return loss and gradient at a lower cost than `value` and `ascent`.

    Where no image is confident, it uses torch's own cross-entropy. Otherwise its slope in the logits, ``p - onehot(label)``, is written out
    in a dozen small operations, where the graph takes three dozen; the label's entry is below 0 even where ``p`` is rounded to 1.
    """
    classes, sign = (labels, 1.0) if targets is None else (targets, -1.0)
    if name not in ("ce", "stable-ce"):
        raised = ascent(name, logits, labels, targets)
        return Assessed(raised, torch.ones_like(raised), raised.detach())
    if name == "ce" and logits.device.type == "cpu":
        loss = F.cross_entropy(logits, classes, reduction="none")
        reported = loss.detach()
        if _plain_will_do(reported):
            return Assessed(loss, reported.new_full(reported.shape, sign), reported if targets is None else -reported)
    with torch.no_grad():
        slope, reported = _slope(name, logits.detach(), classes)
    return Assessed(logits, slope, reported) if targets is None else Assessed(logits, slope.neg_(), -reported)


def _slope(name: LossName, logits: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the slope of the cross-entropy in the logits, ``(N, K)``, and the cross-entropy, ``(N,)``."""
    index, shares = classes.unsqueeze(1), logits.log_softmax(1)
    margin, among_others = _outweighed(logits, classes)
    loss = _with_every_digit(F.nll_loss(shares, classes, reduction="none"), margin)
    shares = torch.where(margin < -VANISHED, among_others, shares) if name == "ce" else among_others
    slope = shares.exp_().scatter_(1, index, -1.0, reduce="add").scatter_reduce_(1, index, -_FAINT * margin.sigmoid(), "amin")
    return slope, loss


def value(name: LossName, logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """Return the loss to report, ``(N,)``: cross-entropy of the label, or minus that of the target; margins unchanged."""
    logits = logits.detach()
    if name not in ("ce", "stable-ce"):
        return ascent(name, logits, labels, targets)
    return cross_entropy(logits, labels) if targets is None else -cross_entropy(logits, targets)


@torch.no_grad()
def cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the cross-entropy per image, ``(N,)``: ``log(1 + exp(soft margin))`` in full precision on both sides of 0."""
    loss = F.cross_entropy(logits, classes, reduction="none")
    return loss if _plain_will_do(loss) else _with_every_digit(loss, _outweighed(logits, classes)[0])


def _plain_will_do(loss: Tensor) -> bool:
    """Return whether no image is so confident that torch's ``loss`` lacks digits. False on devices where the answer would be waited for."""
    return loss.device.type == "cpu" and len(loss) > 0 and float(loss.min()) > _CONFIDENT


def _with_every_digit(loss: Tensor, margin: Tensor) -> Tensor:
    """Return ``loss``, with ``softplus(margin)`` for confident images: decided row by row, so that a batch equals its single images."""
    return torch.where(loss > _CONFIDENT, loss, _softplus(margin)[:, 0])


def _outweighed(logits: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the soft margin, ``(N, 1)``, and the log-softmax over the other classes, ``(N, K)``; values only, without a graph."""
    index = classes.unsqueeze(1)
    others = logits.scatter(1, index, float("-inf"))
    shares = others.log_softmax(1)
    # The largest logit minus its share is the logsumexp of all others, at half the price of computing that.
    return others.amax(1, keepdim=True) - shares.amax(1, keepdim=True) - logits.gather(1, index), shares


def _softplus(margin: Tensor) -> Tensor:
    return F.softplus(margin, threshold=40.0)  # beyond 40 the softplus equals the margin, in float64, too


def check_classes(name: LossName, classes: int) -> None:
    """Refuse a loss that is undefined for this number of classes.

    Raises
    ------
    GibbonError
        There is one class, or DLR would divide the margin of two classes by itself.
    """
    if classes < 2:
        raise GibbonError("The model has one class, so no image can be taken for anything else. Choose a model with two classes or more.")
    if name == "dlr" and classes < 3:
        raise GibbonError("The DLR loss divides by the distance to the third largest logit: with two classes choose ce or margin.")
