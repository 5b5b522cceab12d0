"""The defended CNNs under attacks on themselves: FGSM over eps, DeepFool, and PGD beside them, on MNIST and on CIFAR-10."""

from __future__ import annotations

from abc import ABC
from collections.abc import Generator, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve
from engine.attacks import FGSM, PGD
from engine.classifier import Classifier
from engine.data import DataSet
from engine.operation import Attack, Problem
from engine.reproduce.defenses import networks as nets
from engine.reproduce.defenses.base import Amounts, DefenseExperiment
from engine.reproduce.defenses.measuring import note_caveats, relative_norms, right_under, titled
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.transfer import DEEP_FOOL
from engine.reproduce.experiment import Report
from engine.reproduce.findings import NOTHING

_ADAPTIVE = "feature squeezing, known"
STEPS = 40
_WORK = {"fgsm": 1, "deepfool": 40, "pgd": 40}
_IMAGES_OF_A_TRAINING = 500_000


class WhiteBox(DefenseExperiment, ABC):
    """White-box attacks on the defended CNNs of one data set; see the subclasses."""

    source: ClassVar[str] = "Nicolae and Rawat, IBM (lecture), white-box attacks"
    paper: ClassVar[str] = "Zantedeschi, Nicolae, Rawat 2017, arXiv 1707.06728; curves of the authors' repository, read to about 1 point"
    tolerance: ClassVar[str] = "None: the lecture shows curves without numbers. The paper's column is read off the authors' curves."
    fallback: ClassVar[str] = ""
    setting: ClassVar[nets.Setting]
    pgd_eps: ClassVar[float]
    radii: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.3, 0.4, 0.5)
    curves: ClassVar[Mapping[str, tuple[float, ...]]]
    """The authors' accuracies in percent under FGSM at `radii`, as far as they are known."""
    deep_fool: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType({})
    """The authors' accuracy under DeepFool, and mean relative perturbation."""
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 500, 3), "quick": Amounts(10_000, 100, 2)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train the networks, and attack each."""
        train, test = yield from self.sets(problem, report)
        test = self.chosen(test)
        note_caveats(report, FGSM(eps=self.radii[0]))
        rows, each = len(nets.ALL) + 1, len(test) / _IMAGES_OF_A_TRAINING
        work = {name: passes * each for name, passes in _WORK.items()}
        total = nets.weight_of() + rows * (work["fgsm"] * (len(self.radii) + 1) + work["deepfool"] + work["pgd"])
        stages = Stages(report, total)
        found = yield from nets.networks(self, problem, stages, train, self.setting)
        found[_ADAPTIVE] = nets.behind(found[nets.SQUEEZING], self.setting, known=True)
        found[nets.SQUEEZING] = nets.behind(found[nets.SQUEEZING], self.setting, known=False)
        lines = {}
        for name, network in found.items():
            lines[name] = yield from self._row(problem, report, stages, name, network, test, work)
        report.show("fgsm", Curve(torch.tensor([0.0, *self.radii]), lines, "FGSM, white box", Axis("eps", "eps"), Axis("accuracy, %")))

    def _row(
        self,
        problem: Problem,
        report: Report,
        stages: Stages,
        name: str,
        network: Classifier,
        test: DataSet,
        work: Mapping[str, float],
    ) -> Generator[str, None, Tensor]:
        """Report the accuracies of one network, and return those on clean and on FGSM images, in percent."""
        count, authors = f"{len(test):,} images", self.curves.get(name, ())
        right = yield from stages.within(work["fgsm"], right_under(problem, None, network, test))
        line = [report.count(f"{name}: clean accuracy, {count}", right)]
        for place, radius in enumerate(self.radii):
            attack: Attack = FGSM(eps=radius)
            right = yield from stages.within(work["fgsm"], right_under(problem, attack, network, test))
            paper = f"{authors[place]:g} %" if place < len(authors) else NOTHING
            line.append(report.count(f"{name}: {titled(attack)}, {count}", right, paper=paper))
        attack = PGD(eps=self.pgd_eps, steps=STEPS)
        right = yield from stages.within(work["pgd"], right_under(problem, attack, network, test))
        report.count(f"{name}: {titled(attack)}, {count}", right)
        norms, holds = yield from stages.within(work["deepfool"], relative_norms(problem, DEEP_FOOL, network, test))
        accuracy, relative = self.deep_fool.get(name, (NOTHING, NOTHING))
        report.find(f"{name}: {titled(DEEP_FOOL)}, mean ‖δ‖₂ / ‖x‖₂ of the flipped", float(norms.mean()), paper=relative, digits=3)
        report.count(f"{name}: {titled(DEEP_FOOL)}, not flipped", holds, paper=accuracy)
        return torch.tensor(line)


class WhiteBoxDigits(WhiteBox):
    """Attack each defended CNN on MNIST as a white box: FGSM over eps and DeepFool like the authors, and PGD with 40 steps beside.

    Networks and trainings are those of the transfer table. The authors differentiate the network without its squeezing; the row “known”
    attacks through it, with rounding taken for the identity. A network whose FGSM accuracy is high and whose PGD accuracy is low masks its
    gradient. The authors clip DeepFool's images at the end only, and most digits are right again then; here the loop clips them.
    """

    slug: ClassVar[str] = "h1-white-box"
    title: ClassVar[str] = "Defended CNNs as white boxes, MNIST"
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    architecture: ClassVar[str] = "digits-cnn"
    setting: ClassVar[nets.Setting] = nets.DIGITS
    pgd_eps: ClassVar[float] = 0.1
    curves: ClassVar[Mapping[str, tuple[float, ...]]] = MappingProxyType(
        {
            nets.CNN: (74, 45, 28, 19, 16),
            nets.SQUEEZING: (95, 88, 78, 61, 2),
            nets.SMOOTHING: (64, 11, 1, 1, 1),
            nets.FGSM_TRAINING: (30, 4, 3, 3, 2),
            nets.VAT: (86, 77, 74, 73, 73),
            nets.GDA: (95, 85, 62, 43, 30),
            nets.GDA_BRELU: (97, 90, 75, 55, 34),
        }
    )
    deep_fool: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType(
        {
            nets.CNN: ("79.16 %", ".1559"),
            nets.SQUEEZING: ("97.23 %", ".1799"),
            nets.SMOOTHING: ("73.13 %", ".1476"),
            nets.FGSM_TRAINING: ("98.26 %", ".0265"),
            nets.VAT: ("98.41 %", ".0212"),
            nets.GDA: ("97.07 %", ".1054"),
            nets.GDA_BRELU: ("9.97 %", "NaN"),
        }
    )


class WhiteBoxObjects(WhiteBox):
    """Attack the CNNs that were trained with the same defenses on CIFAR-10: squeezing to 3 bits, noise and FGSM images of 0.05.

    The rest is as on MNIST. At L∞ 0.1, which is 25 grey levels, the authors' networks are near chance whatever the defense.
    """

    slug: ClassVar[str] = "h1-white-box-cifar10"
    title: ClassVar[str] = "Defended CNNs as white boxes, CIFAR-10"
    data_set: ClassVar[str] = "cifar10"
    architecture: ClassVar[str] = "objects-cnn"
    setting: ClassVar[nets.Setting] = nets.OBJECTS
    pgd_eps: ClassVar[float] = 8 / 255
    curves: ClassVar[Mapping[str, tuple[float, ...]]] = MappingProxyType(
        {
            nets.CNN: (16,),
            nets.SQUEEZING: (13,),
            nets.FGSM_TRAINING: (14,),
            nets.VAT: (12,),
            nets.GDA: (20,),
            nets.GDA_BRELU: (10,),
        }
    )
