"""AdvProp against adversarial training on CIFAR-10: adversarial images that help on clean ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch

from engine.artifacts import Axis, Curve
from engine.attacks import PGD
from engine.classifier import Classifier
from engine.operation import Problem
from engine.reproduce.defenses.base import Amounts, DefenseExperiment
from engine.reproduce.defenses.measuring import right_under, titled
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.trained import Recipe, by_adam
from engine.reproduce.experiment import Report
from engine.reproduce.findings import at_least

EPS = 4 / 255
STEPS = 20
_CRAFTED = f"eps={EPS} steps=5 step_size={1 / 255}"
PLAIN, ADVERSARIAL, TUNED, ADVPROP = "plain", "adversarial", "adversarial, then clean", "AdvProp"
RECIPES = {
    PLAIN: "standard",
    ADVERSARIAL: f"pgd {_CRAFTED} ramp=0",
    TUNED: "standard",
    ADVPROP: f"advprop {_CRAFTED}",
}
WEIGHTS = {PLAIN: 1.0, ADVERSARIAL: 6.0, TUNED: 0.5, ADVPROP: 7.0}
"""Rough times of the trainings, in those of the plain one."""


class AdvPropTraining(DefenseExperiment):
    """Train a network on CIFAR-10 in four ways: clean images, adversarial ones, adversarial and then clean ones, and AdvProp.

    Adversarial images are those of the paper for small networks: five steps of 1/255 in L∞ 4/255. AdvProp sends them through batch
    normalisations of their own, which are dropped afterwards. The third network is the second one after half as many clean epochs more,
    the lecture's schedule of fine-tuning. Five convolutions with batch normalisation, the one-cycle schedule, and augmentation by the
    project's usual changes of position and colour.

    No published number can be reached by a network of this size; the direction is what is checked.
    """

    slug: ClassVar[str] = "h2-advprop"
    title: ClassVar[str] = "AdvProp, adversarial training and fine-tuning"
    source: ClassVar[str] = "You (lecturer), “Adversarial Machine Learning”, AdvProp"
    paper: ClassVar[str] = "Xie et al. 2019, arXiv 1911.09665: ResNet-50 on ImageNet 76.7 → 77.4 %"
    tolerance: ClassVar[str] = (
        "Clean accuracy of AdvProp at least that of adversarial training plus 2 points, and that of the plain network minus 1.5."
    )
    data_set: ClassVar[str] = "cifar10"
    architecture: ClassVar[str] = "objects"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 1_000, 5), "quick": Amounts(10_000, 500, 3)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train the four networks, and measure each on clean images and under PGD."""
        train, test = yield from self.sets(problem, report)
        stages = Stages(report, sum(WEIGHTS.values()) + 4 * 0.3)
        found: dict[str, Classifier] = {}
        accuracies = {}
        for name in RECIPES:
            recipe = self.recipe(name, found.get(ADVERSARIAL))
            found[name] = yield from stages.within(WEIGHTS[name], self.network(problem, recipe, train))
            right = yield from stages.within(0.1, right_under(problem, None, found[name], test))
            clean = report.count(f"{name}: clean accuracy, {len(test):,} images", right, lecture="bars only", digits=2)
            some, attack = self.chosen(test), PGD(eps=EPS, steps=STEPS)
            right = yield from stages.within(0.2, right_under(problem, attack, found[name], some))
            attacked = report.count(f"{name}: {titled(attack)}, {len(some):,} images", right)
            accuracies[name] = torch.tensor([clean, attacked])
        clean_of = {name: float(values[0]) for name, values in accuracies.items()}
        report.find("AdvProp over adversarial training, clean, points", clean_of[ADVPROP] - clean_of[ADVERSARIAL], at_least(2))
        report.find("AdvProp over the plain network, clean, points", clean_of[ADVPROP] - clean_of[PLAIN], at_least(-1.5))
        report.find("fine-tuned over adversarial training, clean, points", clean_of[TUNED] - clean_of[ADVERSARIAL])
        x = torch.tensor([0.0, 255 * EPS])
        report.show("accuracy", Curve(x, accuracies, "Clean, and under PGD", Axis("eps, grey levels"), Axis("accuracy, %")))

    def recipe(self, name: str, adversarial: Classifier | None) -> Recipe:
        """Return one of the trainings; the fine-tuned network starts from the ``adversarial`` one."""
        epochs = max(1, self.amount.epochs // 2) if name == TUNED else self.amount.epochs
        start = adversarial if name == TUNED else None
        rate = 1e-3 if name == TUNED else 3e-3
        training = by_adam(RECIPES[name], epochs, fresh=start is None, learning_rate=rate, rates="one-cycle", augment="auto")
        return Recipe(name, self.architecture, training, start)
