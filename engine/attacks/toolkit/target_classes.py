"""Target classes of a gradient attack: the label or target that was given, or one that the attack chooses."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from engine.errors import GibbonError
from engine.operation import Problem

Towards = Literal["label or target", "least likely", "random"]
ManyTowards = Literal["label or target", "least likely", "random", "likeliest others"]


def check_goals(towards: ManyTowards, problem: Problem) -> None:
    """Refuse target classes that contradict the attack.

    Raises
    ------
    GibbonError
        A target was given although the attack chooses one itself; or there are too few classes to choose from.
    """
    if towards == "label or target":
        return
    if problem.targets is not None:
        raise GibbonError(f"towards “{towards}” chooses the class itself, but a target was given. Leave one of them out.")
    if towards == "likeliest others" and problem.classifier.num_classes < 3:
        raise GibbonError("The likeliest other classes need three classes or more: of two, the other is what leaving the label leads to.")


def least_likely(logits: Tensor) -> Tensor:
    """Return ``argmin_j logits_j``, ``(N,)``, the target of step l.l."""
    return logits.argmin(1)


def random_other(problem: Problem) -> Tensor:
    """Draw a class other than the label, each equally likely, ``(N,)``: the target of step rnd."""
    drawn = problem.random.integers(problem.classifier.num_classes - 1)
    return drawn + (drawn >= problem.labels)


def likeliest_others(logits: Tensor, labels: Tensor, count: int | None) -> Tensor:
    """Return the ``count`` likeliest classes other than the label, ``(count, N)``, likeliest first; None, or more than there are: all."""
    others = logits.shape[1] - 1
    ranked = logits.scatter(1, labels[:, None], float("-inf")).topk(min(count or others, others), dim=1).indices
    return ranked.T
