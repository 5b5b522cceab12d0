"""Accuracy of a trained network under PGD, for its card: a quick figure, and no proof of robustness."""

from __future__ import annotations

from dataclasses import dataclass

from engine.attacks import PGD
from engine.bits import Bits
from engine.classifier import Classifier
from engine.data import DataSet
from engine.data.selection import Selection
from engine.driver import start
from engine.intervals import wilson
from engine.result import AttackResult
from engine.text.formatting import counted, format_number, format_share

STEPS = 40


@dataclass(frozen=True)
class UnderAttack:
    """Accuracy under an attack, with the attack's budget."""

    hits: int
    """Number of images whose label the network still gives."""
    images: int
    eps: float
    steps: int = STEPS

    @property
    def accuracy(self) -> float:
        """The share of the images whose label the network still gives."""
        return self.hits / self.images

    @property
    def attack(self) -> str:
        """The attack with its budget: ``PGD-40 at L∞ 0.3 on 500 images``."""
        return f"PGD-{self.steps} at L∞ {format_number(self.eps)} on {counted(self.images, 'image')}"

    @property
    def words(self) -> str:
        """The accuracy with its interval and the attack: ``81.2 % (77.5 to 84.4 %) under PGD-40 at L∞ 0.3 on 500 images``."""
        low, high = wilson(self.hits, self.images)
        return f"{format_share(self.accuracy)} ({100 * low:.1f} to {100 * high:.1f} %) under {self.attack}"


def under_pgd(classifier: Classifier, data: DataSet, eps: float, *, count: int = 500, seed: int = 0) -> Bits[UnderAttack]:
    """Attack ``count`` images, spread evenly over ``data``, by PGD from a random point of the L∞ ball, and count the right answers.

    The classes of ``data`` are matched by name. It is made in steps: `engine.bits.whole` runs it to its end.
    """
    rows = Selection(count).places(data.targets)
    images, labels = data.batch(rows)[0], data.targets_for(classifier.labels, classifier.name)[rows]
    attack = PGD(norm="linf", eps=eps, steps=STEPS)
    with start(attack, classifier, images.to(classifier.device), labels=labels, seed=seed) as run:
        for done, step in enumerate(run, 1):
            yield done, max(done, (step.total or 0) + 1)
        result = run.result()
    assert isinstance(result, AttackResult)
    return UnderAttack(int((~result.success & ~result.failed).sum()), len(rows), eps)
