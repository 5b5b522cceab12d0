"""The accuracy of a network under attacks, as lines of an experiment's table."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.data import DataSet
from engine.evaluate.tables import budget_of
from engine.evaluate.trust import caveat
from engine.operation import Attack, Problem
from engine.reproduce.defenses.judging import attacked, logits_of
from engine.reproduce.defenses.stages import Stage
from engine.reproduce.experiment import Report


def titled(attack: Attack) -> str:
    """Return the attack with everything that bounds it: ``PGD, L∞ 0.3, 40 steps``."""
    return f"{attack.title}, {budget_of(attack)}"


def note_caveats(report: Report, *attacks: Attack) -> None:
    """Add the sentences that have to stand where numbers of these attacks are printed, such as that one step proves no robustness."""
    for sentence in dict.fromkeys(map(caveat, attacks)):
        if sentence and sentence not in report.notes:
            report.note(sentence)


def logits_under(problem: Problem, attack: Attack, classifier: Classifier, test: DataSet) -> Stage[Tensor]:
    """Attack a network as a white box away from the true classes, and return its logits ``(N, K)`` on the adversarial images."""
    images, labels = test.batch(slice(None))
    adversarial = yield from attacked(problem, attack, classifier, images, labels)
    return (yield from logits_of(problem, classifier, adversarial, f"images of {attack.title}"))


def right_under(problem: Problem, attack: Attack | None, classifier: Classifier, test: DataSet) -> Stage[Tensor]:
    """Return which images the network predicts correctly under the attack, ``(N,)`` bool; None: on the clean images."""
    if attack is None:
        logits = yield from logits_of(problem, classifier, test.batch(slice(None))[0], "test images")
    else:
        logits = yield from logits_under(problem, attack, classifier, test)
    return logits.argmax(1) == test.targets


def relative_norms(problem: Problem, attack: Attack, classifier: Classifier, test: DataSet) -> Stage[tuple[Tensor, Tensor]]:
    """Attack the images that are right; return ``||adversarial - x||_2 / ||x||_2`` of those that flip, and which hold, ``(N,)`` bool.

    The mean of the norms is the empirical robustness of Moosavi-Dezfooli, Fawzi, Frossard 2015, arXiv 1511.04599.
    """
    images, labels = test.batch(slice(None))
    right = (yield from logits_of(problem, classifier, images, "test images")).argmax(1) == labels
    if not right.any():
        return torch.zeros(0), right
    rows = right.nonzero().flatten()
    adversarial = yield from attacked(problem, attack, classifier, images[rows], labels[rows])
    logits = yield from logits_of(problem, classifier, adversarial, f"images of {attack.title}")
    fooled = logits.argmax(1) != labels[rows]
    sizes = (adversarial - images[rows]).flatten(1).norm(dim=1) / images[rows].flatten(1).norm(dim=1)
    return sizes[fooled], right.index_copy(0, rows, ~fooled)
