"""The linear explanation: the activation grows with the dimension, while the largest change of a pixel stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.artifacts import Axis, Curve, Map
from engine.classifier import Classifier
from engine.download import Progress
from engine.operation import Problem
from engine.parameters import method
from engine.reproduce.experiment import Experiment, Report
from engine.reproduce.findings import at_most, exactly
from engine.reproduce.logistic import CLASSES, DRAWN, Logistic, classifier_of, fit, pair
from engine.text.parsing import Number

SIDES = (4, 7, 14, 28)
_DRAWS = 200


class Linear(Experiment):
    """The same eps on larger and larger images: ``w . eta = eps * m * n`` for ``eta = eps * sign(w)``.

    ``m`` is the mean of ``|w|`` and ``n`` the number of pixels: the activation grows with ``n`` while ``max |eta| = eps`` stays. Logistic
    regression on 3 against 7 is trained on the images averaged down to 4, 7, 14 and 28 pixels a side; the growth is measured on its
    activations, in float64, and compared with the formula. Random signs of the same size move it by about ``eps * ||w||_2`` only, which is
    ``sqrt(n)`` for weights of one size.
    """

    slug: ClassVar[str] = "linear"
    title: ClassVar[str] = "The linear explanation"
    source: ClassVar[str] = "You (lecturer), “Adversarial Machine Learning”, “Why ML model can be fooled?”"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572, section 3"
    tolerance: ClassVar[str] = "wᵀη = ε·m·n within 10⁻⁵ of its size, at every dimension; an identity, on any data."
    model: ClassVar[str] = ""
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    columns: ClassVar[int] = 4

    eps: Number = method(0.1, gt=0, le=1, unit="of [0, 1]")
    """Size of the perturbation, ``max |eta|``, the same at every image size."""

    @classmethod
    def load(cls, device: torch.device | str | None = None, download: bool = False, progress: Progress | None = None) -> Classifier:
        """Return the untrained classifier of 28 x 28."""
        return classifier_of(Logistic(28 * 28), 28, device)

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train one network for each size, then measure growth against dimension."""
        images, labels = pair((yield from self.images(report, "train", 2 * DRAWN, classes=CLASSES)))
        report.expect(10 * len(SIDES))
        device = problem.classifier.device
        grown: list[float] = []
        formula: list[float] = []
        random: list[float] = []
        change: list[float] = []
        for side in SIDES:
            small = F.avg_pool2d(images, 28 // side)
            network = yield from fit((small, labels), side, 10, problem.random.shared(self.slug, side), device)
            report.show(f"weights {side}", Map(weights(network).reshape(1, side, side).float(), f"w at n = {side * side}", signed=True))
            growth = self.growth(network, small[:_DRAWS].to(device), problem.random.shared(self.slug, "signs", side))
            for values, value in zip((grown, formula, random, change), growth, strict=True):
                values.append(value)
        self._report(report, grown, formula, random, change)

    @torch.no_grad()
    def growth(self, network: Logistic, images: Tensor, generator: torch.Generator) -> tuple[float, float, float, float]:
        """Measure the activation's growth, ``eps * m * n``, the mean growth for random signs, and the largest change of a pixel."""
        network, images = network.cpu(), images.cpu()  # some devices lack float64
        w, double = weights(network), network.double()
        x = images.double()
        eta = self.eps * w.sign().reshape(1, *x.shape[1:])
        measured = (double(x + eta) - double(x))[:, 1]
        drawn = torch.randn(_DRAWS, *x.shape[1:], generator=generator, dtype=torch.float64).sign()
        by_chance = (double(x[:1] + self.eps * drawn) - double(x[:1]))[:, 1].abs().mean()
        return float(measured.mean()), float(self.eps * w.abs().mean() * w.numel()), float(by_chance), float(eta.abs().max())

    def _report(self, report: Report, grown: list[float], formula: list[float], random: list[float], change: list[float]) -> None:
        worst = max(abs(a - b) / b for a, b in zip(grown, formula, strict=True))
        said = "wᵀη = ε·m·n"
        report.find("largest relative deviation from ε·m·n", worst, at_most(1e-5), lecture=said, paper=said, digits=6, comparable=True)
        spread = max(abs(value - self.eps) for value in change)
        report.find("change of ‖η‖∞ over the sizes", spread, exactly(0), lecture="0", paper="0", digits=6, comparable=True)
        for side, activation, chance in zip(SIDES, grown, random, strict=True):
            n = side * side
            m = activation / (self.eps * n)
            report.find(f"growth at n = {n}: sign(w), random signs, mean |w|", f"{activation:.3g}, {chance:.3g}, {m:.3g}")
        sizes = torch.tensor([float(side * side) for side in SIDES])
        mean = torch.tensor(formula) / (self.eps * sizes)
        lines = {
            "ε·n": self.eps * sizes,
            "measured, η = ε·sign(w)": torch.tensor(grown) / mean,
            "measured, η of random signs": torch.tensor(random) / mean,
        }
        report.show("growth", Curve(sizes, lines, f"Growth at ε = {self.eps:g}", Axis("dimension n"), Axis("wᵀη / mean |w|")))


def weights(network: Logistic) -> Tensor:
    """Return ``w`` ``(n,)`` in float64 on the CPU, since some devices lack float64."""
    return network.dense.weight.detach().cpu().double().flatten()
