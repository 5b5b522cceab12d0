"""The order of clean and adversarial epochs: robustness that is trained first is lost in the clean epochs after it."""

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
from engine.reproduce.findings import Tolerance, at_least

EPS = 0.3
RADII = (0.1, EPS)
STEPS = 40
ADVERSARIAL = f"pgd eps={EPS} steps=7"


class Schedules(DefenseExperiment):
    """Train half of the epochs on adversarial images and the other half on clean ones, beside all clean and all adversarial.

    Adversarial epochs are min-max training: seven steps of PGD in L∞ 0.3 from a random start, with eps growing over the first two epochs.
    Clean epochs continue from the weights with a new state of the optimiser. Adam with rate 0.001, batches of 128. Accuracy on clean images
    and under PGD with 40 steps is measured after each half, so that the table shows what the clean epochs give and what they take.
    """

    slug: ClassVar[str] = "h2-schedule"
    title: ClassVar[str] = "Adversarial, then clean epochs"
    source: ClassVar[str] = "You (lecturer), “Adversarial Machine Learning”, 350 clean, 350 adversarial, 175 + 175 epochs"
    paper: ClassVar[str] = "Xie et al. 2019, arXiv 1911.09665; Madry et al. 2017, arXiv 1706.06083"
    tolerance: ClassVar[str] = (
        "All adversarial, full size: clean at least 96.5 %, PGD of 40 steps at L∞ 0.3 at least 75 %. The schedule itself has no threshold: "
        "the lecture's bars have no numbers."
    )
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    architecture: ClassVar[str] = "digits"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 1_000, 6), "quick": Amounts(10_000, 500, 4)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train the four networks, and measure each."""
        train, test = yield from self.sets(problem, report)
        test, half = self.chosen(test), max(1, self.amount.epochs // 2)
        stages = Stages(report, 1 + 7 + 7 + 1 + 4)
        clean = yield from stages.within(1, self.network(problem, self.recipe("all clean", "standard", self.amount.epochs), train))
        first = yield from stages.within(7, self.network(problem, self.recipe("adversarial half", ADVERSARIAL, half), train))
        more = self.recipe("all adversarial", f"{ADVERSARIAL} ramp=0", half, first)
        both = yield from stages.within(7, self.network(problem, more, train))
        then = yield from stages.within(1, self.network(problem, self.recipe("adversarial, then clean", "standard", half, first), train))
        lines = {}
        rows: tuple[tuple[Classifier, str, Tolerance | None, Tolerance | None], ...] = (
            (clean, f"{self.amount.epochs} clean epochs", None, None),
            (first, f"{half} adversarial epochs", None, None),
            (both, f"{2 * half} adversarial epochs", at_least(96.5), at_least(75)),
            (then, f"{half} adversarial, then {half} clean epochs", None, None),
        )
        for classifier, name, least_clean, least_attacked in rows:
            accuracies = []
            for attack in (None, *(PGD(eps=radius, steps=STEPS) for radius in RADII)):
                right = yield from stages.within(1 / 3, right_under(problem, attack, classifier, test))
                what = "clean accuracy" if attack is None else f"accuracy under {titled(attack)}"
                least = least_clean if attack is None else least_attacked if attack.eps == EPS else None
                accuracies.append(report.count(f"{name}: {what}", right, least, lecture="bars only"))
            lines[name] = torch.tensor(accuracies)
        kept, lost = lines[rows[3][1]], lines[rows[1][1]]
        report.find("points that the clean epochs add on clean images", float(kept[0] - lost[0]), digits=1)
        report.find(f"points that they take under PGD at L∞ {EPS:g}", float(lost[-1] - kept[-1]), digits=1)
        report.show("accuracy", Curve(torch.tensor([0.0, *RADII]), lines, "PGD, 40 steps", Axis("eps", "eps"), Axis("accuracy, %")))

    def recipe(self, name: str, recipe: str, epochs: int, start: Classifier | None = None) -> Recipe:
        """Return the training of one phase, from new weights or from those of ``start``."""
        training = by_adam(recipe, epochs, fresh=start is None)
        return Recipe(name, self.architecture, training, start)
