"""One step to the least likely class on traffic signs: what mixed batches give, over eps, in the first guess and in the first five."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve
from engine.attacks import FGSM, PGD
from engine.classifier import Classifier
from engine.data import DataSet
from engine.operation import Problem
from engine.reproduce.defenses.base import Amounts, DefenseExperiment
from engine.reproduce.defenses.judging import logits_of
from engine.reproduce.defenses.measuring import logits_under, note_caveats, titled
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.trained import Recipe, by_adam
from engine.reproduce.experiment import Report, share
from engine.reproduce.findings import at_least, at_most

LEVELS = (2, 4, 8, 16)
"""Sizes of the step in grey levels."""
GAINS = (12.0, 25.0, 30.0, 25.0)
"""The least gains in points over the baseline."""
_PGD_LEVELS = 8
_PUBLISHED = 39_209
"""Training images of the whole set, three epochs of which the tolerances are for. torchvision's copy has 26,640 of them."""
STEPS = 20
BASELINE, TRAINED = "baseline", "adversarial training"
RECIPES = {BASELINE: "standard", TRAINED: f"fgsm eps={16 / 255} varied=true direction=least-likely placed=replace weight=0.3"}
LECTURE = {
    (BASELINE, 1): (78.4, 30.8, 27.2, 27.2, 29.5),
    (BASELINE, 5): (94.0, 60.0, 55.6, 55.1, 57.2),
    (TRAINED, 1): (77.6, 73.5, 74.0, 74.5, 73.9),
    (TRAINED, 5): (93.8, 91.7, 91.9, 92.0, 91.4),
}
"""The lecture's accuracies on ImageNet: clean, then at `LEVELS`."""
REFERENCES = {
    (BASELINE, 1): (92.9, 73.2, 48.2, 21.4, 4.8),
    (BASELINE, 5): (None, 91.9, 72.7, 40.8, 14.0),
    (TRAINED, 1): (95.9, 92.4, 83.0, 65.5, 44.9),
    (TRAINED, 5): (None, 99.1, 96.1, 85.6, 69.2),
}
"""Accuracies of an earlier run on traffic signs, with a smaller network."""


class StepLeastLikely(DefenseExperiment):
    """Train on mixed batches of clean images and of steps to the least likely class; compare with a network that saw clean images only.

    Batches of 64, of which 32 are moved by ``eps`` drawn for each image as ``min(|N(0, 8)|, 16)`` grey levels and weigh 0.3. The attack is
    the same single step, and accuracy counts the first guess and the first five. PGD with 20 steps stands beside: the training is against
    one step.

    The lecture's numbers are of Inception v3 on ImageNet; here a network of six convolutions is trained on 43 traffic signs for three
    epochs; where only a part of the 39,209 training images is there, for as many batches. The flat 73 to 75 % of ImageNet is not reached by
    that: accuracy still falls with eps.
    """

    slug: ClassVar[str] = "h2-step-ll"
    title: ClassVar[str] = "Adversarial training against step l.l., over eps"
    source: ClassVar[str] = "You (lecturer), “Adversarial Machine Learning”, adversarial training on ImageNet"
    paper: ClassVar[str] = "Kurakin, Goodfellow, Bengio 2016, arXiv 1611.01236, table 1"
    tolerance: ClassVar[str] = (
        "Gain over the baseline at least 12, 25, 30 and 25 points at eps 2, 4, 8 and 16 levels; at most 3 points lost on clean images."
    )
    data_set: ClassVar[str] = "gtsrb"
    fallback: ClassVar[str] = "generated:signs"
    architecture: ClassVar[str] = "signs"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 2_000, 3), "quick": Amounts(8_000, 500, 2)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train both networks, and attack each at four radii."""
        train, test = yield from self.sets(problem, report)
        test, first = self.chosen(test), {}
        note_caveats(report, FGSM(towards="least likely"))
        stages = Stages(report, 2 * (20 + 1 + 3 * len(LEVELS) + 20) + 10)
        epochs = self._epochs(report, train)
        for name, weight in ((BASELINE, 20), (TRAINED, 30)):
            training = by_adam(RECIPES[name], epochs, batch_size=64)
            network = yield from stages.within(weight, self.network(problem, Recipe(name, self.architecture, training), train))
            first[name] = yield from self._measure(problem, report, stages, name, network, test)
        for place, (level, least) in enumerate(zip(LEVELS, GAINS, strict=True), 1):
            gain = first[TRAINED][place] - first[BASELINE][place]
            report.find(f"points gained in the first guess at eps {level} levels", gain, at_least(least), digits=1)
        lost = first[BASELINE][0] - first[TRAINED][0]
        report.find("points lost in the first guess on clean images", lost, at_most(3), digits=1)
        lines = {name: torch.tensor(values) for name, values in first.items()}
        report.show("first", Curve(torch.tensor([0.0, *LEVELS]), lines, "Step l.l.", Axis("eps, grey levels"), Axis("first guess, %")))
        report.note("The flat accuracies of ImageNet over eps are not reached on signs of 32 × 32 pixels: accuracy falls with eps.")

    def _epochs(self, report: Report, train: DataSet) -> int:
        """Return the epochs, and note where they are more than usual: a part of the set is seen more often, for as many batches."""
        usual = self.amount.epochs
        if self.epochs is not None or not report.comparable or len(train) >= _PUBLISHED:
            return usual
        epochs = round(usual * _PUBLISHED / len(train))
        report.note(
            f"{len(train):,} of the {_PUBLISHED:,} training images are here, so each is seen {epochs} times: in as many batches as in "
            f"{usual} epochs of all."
        )
        return epochs

    def _measure(
        self, problem: Problem, report: Report, stages: Stages, name: str, network: Classifier, test: DataSet
    ) -> Generator[str, None, list[float]]:
        """Report the accuracies of one network, and return those of the first guess: clean, then at `LEVELS`, in percent."""
        images, labels = test.batch(slice(None))
        clean = yield from stages.within(1, logits_of(problem, network, images, "test images"))
        found = [_entered(report, name, 0, "clean", clean, labels)]
        for place, level in enumerate(LEVELS, 1):
            attack = FGSM(eps=level / 255, towards="least likely")
            logits = yield from stages.within(3, logits_under(problem, attack, network, test))
            found.append(_entered(report, name, place, f"step l.l., L∞ {level}/255", logits, labels))
        pgd = PGD(eps=_PGD_LEVELS / 255, steps=STEPS)
        logits = yield from stages.within(20, logits_under(problem, pgd, network, test))
        report.count(f"{name}: top 1, {titled(pgd)}, {len(test):,} images", logits.argmax(1) == labels)
        return found


def _entered(report: Report, name: str, place: int, what: str, logits: Tensor, labels: Tensor) -> float:
    """Report the first guess and the first five, and return the share of right first guesses."""
    for top in (1, 5):
        right = (logits.topk(top, dim=1).indices == labels[:, None]).any(1)
        lecture, reference = LECTURE[name, top][place], REFERENCES[name, top][place]
        report.count(
            f"{name}: top {top}, {what}, {len(labels):,} images",
            right,
            lecture=f"{lecture} %",
            paper=f"{lecture} %",
            reference="" if reference is None else f"{reference} %",
        )
    return share(logits.argmax(1) == labels)
