"""Deep against shallow at equal norm: the smallest perturbation of three networks for digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

import torch

from engine.artifacts import Axis, Curve
from engine.attacks import PGD
from engine.operation import Attack, Problem
from engine.reproduce.defenses.base import Amounts, DefenseExperiment
from engine.reproduce.defenses.measuring import relative_norms, right_under, titled
from engine.reproduce.defenses.networks import DIGITS, recipe_of
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.transfer import DEEP_FOOL
from engine.reproduce.experiment import Report

NETWORKS = {
    "digits": ("lecture's CNN, 38 thousand parameters, 4 layers", "0.165", 0.2),
    "digits-cnn": ("CNN, 710 thousand parameters, 4 layers", "0.151", 1.0),
    "digits-resnet": ("ResNet, 354 thousand parameters, 6 layers", "0.156", 0.7),
}
"""By architecture: what it is, the robustness of an earlier run, and the rough time of its training."""
STEPS = 40
LINF, L2 = (0.05, 0.1), (1.0, 2.0)


class Depth(DefenseExperiment):
    """Compare how far three networks must be attacked, at equal norms: DeepFool's mean relative L2, and PGD in L∞ and L2.

    The lecture says that shallow networks are relatively robust. Networks of different size and depth are trained alike, three epochs of
    Adam, and attacked alike: no trend is claimed, the numbers are shown.
    """

    slug: ClassVar[str] = "h5-depth"
    title: ClassVar[str] = "Shallow against deep, at equal norm"
    source: ClassVar[str] = "Wang, “Data Evasion Attacks” (lecture), “shallow nets are relatively robust”"
    paper: ClassVar[str] = "Moosavi-Dezfooli, Fawzi, Frossard 2015, arXiv 1511.04599 (the measure)"
    tolerance: ClassVar[str] = "None: the lecture gives no number, and the references show no clear trend."
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    architecture: ClassVar[str] = "digits-cnn"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 500, 3), "quick": Amounts(10_000, 100, 2)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train the three networks, and attack each."""
        train, test = yield from self.sets(problem, report)
        test = self.chosen(test)
        stages = Stages(report, sum(weight for _, _, weight in NETWORKS.values()) + 3 * 0.5)
        lines, robustness, count = {}, {}, f"{len(test):,} images"
        for architecture, (name, reference, weight) in NETWORKS.items():
            plain = "CNN" if architecture == self.architecture else "ResNet"
            recipe = replace(recipe_of(plain, DIGITS, self.amount.epochs), architecture=architecture)
            network = yield from stages.within(weight, self.network(problem, recipe, train))
            network = network.derive(name=architecture)
            norms, _ = yield from stages.within(0.2, relative_norms(problem, DEEP_FOOL, network, test))
            robustness[name] = float(norms.mean())
            report.find(f"{name}: {titled(DEEP_FOOL)}, mean ‖δ‖₂ / ‖x‖₂, {count}", robustness[name], reference=reference, digits=3)
            accuracies = []
            attacks: tuple[Attack | None, ...] = (
                None,
                *(PGD(eps=eps, steps=STEPS) for eps in LINF),
                *(PGD(norm="l2", eps=eps, steps=STEPS) for eps in L2),
            )
            for attack in attacks:
                right = yield from stages.within(0.06, right_under(problem, attack, network, test))
                accuracies.append(report.count(f"{name}: {'clean' if attack is None else titled(attack)}, {count}", right))
            lines[name] = torch.tensor(accuracies[: 1 + len(LINF)])
        values = [robustness[name] for name, _, _ in NETWORKS.values()]
        report.find("largest over smallest mean relative perturbation", max(values) / min(values))
        report.show("linf", Curve(torch.tensor([0.0, *LINF]), lines, "PGD, L∞", Axis("eps", "eps"), Axis("accuracy, %")))
