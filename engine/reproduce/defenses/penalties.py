"""Gradient regularisation and virtual adversarial training, under one step and under forty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from engine.reproduce.defenses.judging import gradients_of
from engine.reproduce.defenses.measuring import note_caveats, right_under, titled
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.trained import Recipe, by_adam
from engine.reproduce.experiment import Report
from engine.reproduce.findings import at_most

RADII = (0.1, 0.2, 0.3)
STEPS = 40


@dataclass(frozen=True)
class _Row:
    """One network with the accuracies of an earlier run in percent: clean, under FGSM and under PGD at `RADII`."""

    name: str
    recipe: str
    clean: str = ""
    fgsm: tuple[str, str, str] = ("", "", "")
    pgd: tuple[str, str, str] = ("", "", "")


ROWS = (
    _Row("plain", "standard", pgd=("57.0 %", "1.1 %", "0.0 %")),
    _Row("gradient regularisation, λ = 1", "gradient-regularisation weight=1", "98.3 %", pgd=("76.7 %", "13.9 %", "0.3 %")),
    _Row("VAT, L2 2.1", "vat eps=2.1 xi=0.01", "98.4 %", ("92.4 %", "81.6 %", "55.0 %"), ("89.0 %", "36.4 %", "0.5 %")),
)


class Penalties(DefenseExperiment):
    """Train with the squared norm of the input gradient in the loss, and by virtual adversarial training; attack by FGSM and by PGD.

    The mean squared norm ``mean ||grad CE||_2^2`` is what the penalty is, so it is what must fall. The mean norm need not: the plain
    network has next to no gradient on most images, where its softmax is saturated, and a very large one on a few; the penalty takes those
    away, and leaves a small gradient on all. The median tells so.

    Both flatten the loss around the training images. FGSM flatters them at large radii: where one step still fails and forty steps succeed,
    the gradient at the image says little about the ball, which is no robustness. Adam with rate 0.001, batches of 128, four epochs.
    """

    slug: ClassVar[str] = "h5-penalties"
    title: ClassVar[str] = "Gradient regularisation and VAT under FGSM and PGD"
    source: ClassVar[str] = "Wang, “Data Evasion Attacks” (lecture), gradient regularisation; Nicolae and Rawat (lecture), VAT"
    paper: ClassVar[str] = "Ross, Doshi-Velez 2017, arXiv 1711.09404; Miyato et al. 2017, arXiv 1704.03976"
    tolerance: ClassVar[str] = (
        "The mean squared gradient norm, which is the penalty, is with λ = 1 at most half of the plain network's. Accuracies have none; "
        "references are of an earlier run."
    )
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    architecture: ClassVar[str] = "digits"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 1_000, 4), "quick": Amounts(10_000, 500, 2)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train the three networks, attack each at three radii, and compare their gradients."""
        train, test = yield from self.sets(problem, report)
        test = self.chosen(test)
        note_caveats(report, FGSM(eps=RADII[0]))
        stages, norms = Stages(report, len(ROWS) * (8 + 4)), []
        for row in ROWS:
            classifier = yield from stages.within(8, self.network(problem, self.recipe(row), train))
            images, labels = test.batch(slice(None))
            gradients = yield from stages.within(0.5, gradients_of(problem, classifier, images, labels))
            norms.append(gradients.flatten(1).norm(dim=1))
            yield from self._measure(problem, report, stages, row, classifier, test)
        for row, norm in zip(ROWS, norms, strict=True):
            report.find(f"{row.name}: mean ‖∇‖₂² of the loss, which the penalty is", float(norm.square().mean()), digits=3)
            report.find(f"{row.name}: mean ‖∇‖₂ of the loss", float(norm.mean()), digits=3)
            report.find(f"{row.name}: median ‖∇‖₂ of the loss", float(norm.median()), digits=3)
        plain, regularised = norms[:2]
        ratio = float(regularised.square().mean() / plain.square().mean())
        report.find("mean squared gradient norm with λ = 1 over that of the plain network", ratio, at_most(0.5), digits=3)
        report.find("mean gradient norm with λ = 1 over that of the plain network", float(regularised.mean() / plain.mean()), digits=3)

    def _measure(self, problem: Problem, report: Report, stages: Stages, row: _Row, classifier: Classifier, test: DataSet) -> Iterator[str]:
        right = yield from stages.within(0.5, right_under(problem, None, classifier, test))
        clean = report.count(f"{row.name}: clean accuracy", right, reference=row.clean)
        lines: dict[str, Tensor] = {}
        for name, references in (("FGSM", row.fgsm), (f"PGD, {STEPS} steps", row.pgd)):
            accuracies = [clean]
            for radius, reference in zip(RADII, references, strict=True):
                attack = FGSM(eps=radius) if name == "FGSM" else PGD(eps=radius, steps=STEPS)
                right = yield from stages.within(0.5, right_under(problem, attack, classifier, test))
                accuracies.append(report.count(f"{row.name}: accuracy under {titled(attack)}", right, reference=reference))
            lines[name] = torch.tensor(accuracies)
        gap = float((lines["FGSM"] - lines[f"PGD, {STEPS} steps"])[-1])
        report.find(f"{row.name}: points that FGSM leaves above PGD at L∞ {RADII[-1]:g}", gap, digits=1)
        report.show(row.name, Curve(torch.tensor([0.0, *RADII]), lines, row.name, Axis("eps", "eps"), Axis("accuracy, %")))

    def recipe(self, row: _Row) -> Recipe:
        """Return the training of one of `ROWS`."""
        training = by_adam(row.recipe, self.amount.epochs)
        return Recipe(row.name, self.architecture, training)
