"""The amount of perturbation that is necessary: the first eps of FGSM that flips each image, counted rightly and as it was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve
from engine.attacks import FGSM
from engine.classifier import Classifier
from engine.data import DataSet
from engine.operation import Problem
from engine.parameters import method
from engine.reproduce.defenses import networks as nets
from engine.reproduce.defenses.base import Amounts, DefenseExperiment
from engine.reproduce.defenses.judging import logits_of, signs_of
from engine.reproduce.defenses.measuring import note_caveats
from engine.reproduce.defenses.stages import Stage, Stages
from engine.reproduce.experiment import Report, share
from engine.reproduce.findings import NOTHING, exactly
from engine.reproduce.logistic import Logistic, classifier_of
from engine.text.parsing import Number

PUBLISHED = MappingProxyType(
    {
        nets.CNN: (".2030", "52.07 %"),
        nets.SQUEEZING: (".1437", "35.61 %"),
        nets.SMOOTHING: (".1520", "37.06 %"),
        nets.FGSM_TRAINING: (".2260", "56.44 %"),
        nets.VAT: (".3082", "73.32 %"),
        nets.GDA: (".4448", "73.96 %"),
        nets.GDA_BRELU: (".4715", "69.56 %"),
    }
)
"""The authors' mean relative perturbation, and their share of digits that no eps up to 1 flips. Both are unreliable."""
_IMAGES_OF_A_TRAINING = 500_000


class Perturbation(DefenseExperiment):
    """Search the smallest eps of FGSM that flips each digit, on a grid from one step to 1, for every defended CNN.

    The direction ``sign(grad)`` is taken once, at the image. The necessary perturbation is the first eps of the grid at which the label is
    not predicted; the mean ``eps / max x`` over the flipped digits is the authors' empirical robustness, ``||delta||_inf / ||x||_inf``.

    The authors' loop of 2017 keeps the positions of the digits that are left within the last subset, and takes them for numbers in the
    whole set, so that it loses digits from the second eps on. It is replayed on our own predictions beside the right count: the lecture's
    slide on the amount of perturbation rests on it. On a linear model the count must equal ``margin / ||w||_1``, rounded up to the grid.
    """

    slug: ClassVar[str] = "h1-perturbation"
    title: ClassVar[str] = "Amount of perturbation necessary"
    source: ClassVar[str] = "Nicolae and Rawat, IBM (lecture), amount of perturbation necessary"
    paper: ClassVar[str] = "Zantedeschi, Nicolae, Rawat 2017, arXiv 1707.06728; the authors' notebooks"
    tolerance: ClassVar[str] = (
        "On a linear model no digit differs from margin / ‖w‖₁ rounded up to the grid. Published values have none: the loop loses digits."
    )
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"
    architecture: ClassVar[str] = "digits-cnn"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 1_000, 3), "quick": Amounts(10_000, 200, 2)})

    step: Number = method(0.1, gt=0, le=0.5, unit="of [0, 1]", title="step of the grid")
    """Distance of two radii of the grid. The authors take 0.1."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Check the count on a linear model, train the networks, and count on each."""
        train, test = yield from self.sets(problem, report)
        test = self.chosen(test)
        note_caveats(report, FGSM(eps=self.step))
        grid = torch.arange(1, int(1 / self.step + 1e-9) + 1, dtype=torch.float64) * self.step
        yield from self._linear(problem, report, test)
        work = (len(grid) + 3) * len(test) / _IMAGES_OF_A_TRAINING
        stages = Stages(report, nets.weight_of() + len(nets.ALL) * work)
        found = yield from nets.networks(self, problem, stages, train, nets.DIGITS)
        found[nets.SQUEEZING] = nets.behind(found[nets.SQUEEZING], nets.DIGITS, known=False)
        lines = {}
        for name, network in found.items():
            wrong = yield from stages.within(work, wrong_over(problem, network, test, grid))
            self._report(report, name, wrong, grid, test)
            smallest = first_flips(wrong, grid)
            lines[name] = torch.tensor([share(smallest > radius) for radius in (0.0, *grid.tolist())])
        radii = torch.cat([torch.zeros(1, dtype=torch.float64), grid]).float()
        report.show("robust", Curve(radii, lines, "Not flipped by any FGSM up to eps", Axis("eps", "eps"), Axis("digits, %")))

    def _report(self, report: Report, name: str, wrong: Tensor, grid: Tensor, test: DataSet) -> None:
        smallest = first_flips(wrong, grid)
        flipped = smallest.isfinite() & (smallest > 0)
        brightest = test.batch(slice(None))[0].flatten(1).amax(1)
        mean, unflipped = PUBLISHED.get(name, (NOTHING, NOTHING))
        count = f"{len(test):,} images"
        relative = float((smallest[flipped] / brightest[flipped]).mean())
        report.find(f"{name}: mean ‖δ‖∞ / ‖x‖∞ of the flipped, {count}", relative, paper=mean, digits=4)
        report.count(f"{name}: not flipped by FGSM up to L∞ 1, {count}", smallest.isinf())
        report.count(f"{name}: the same by the published loop", unflipped_as_published(wrong), paper=unflipped)

    def _linear(self, problem: Problem, report: Report, test: DataSet) -> Iterator[str]:
        """Report how many digits of a random linear model are counted otherwise than by the formula."""
        side = test.shape[1]
        network = Logistic(side * side, problem.random.shared(self.slug)).double()
        classifier = classifier_of(network, side, "cpu")
        images = 0.25 + 0.5 * test.batch(slice(None))[0].mean(1, keepdim=True).double()  # so that small steps stay within [0, 1]
        logits = classifier.score(images)
        margin = (logits[:, 1] - logits[:, 0]).abs()
        weights = network.dense.weight.detach().flatten()
        needed = margin / weights.abs().sum()
        step = float(needed.max()) / 7.5
        grid = torch.arange(1, 10, dtype=torch.float64) * step
        labels = logits.argmax(1)
        uphill = torch.where((labels == 0)[:, None, None, None], 1.0, -1.0) * weights.sign().reshape(1, 1, side, side)
        wrong = torch.stack([classifier.predict(images + radius * uphill) != labels for radius in (0.0, *grid.tolist())])
        differ = (first_flips(wrong, grid) / step).round() != (needed / step).ceil()
        yield "the count on a linear model"
        report.find(
            f"digits counted otherwise than margin / ‖w‖₁, of {len(test):,}", float(differ.sum()), exactly(0), digits=0, comparable=True
        )


def wrong_over(problem: Problem, classifier: Classifier, test: DataSet, grid: Tensor) -> Stage[Tensor]:
    """Return which images are not predicted as their label at eps 0 and at each eps of the grid, ``(1 + G, N)`` bool."""
    images, labels = test.batch(slice(None))
    found, parts = [], len(grid) + 3
    signs = Tensor()
    stages: list[Stage[Tensor]] = [signs_of(problem, classifier, images, labels)]
    for place, radius in enumerate((None, 0.0, *grid.tolist())):
        stage = stages[0] if radius is None else logits_of(problem, classifier, (images + radius * signs).clamp(0, 1), f"eps {radius:g}")
        while True:
            try:
                done, news = next(stage)
            except StopIteration as end:
                made: Tensor = end.value
                break
            yield (place + done) / parts, news
        if radius is None:
            signs = made
        else:
            found.append(made.argmax(1) != labels)
    return torch.stack(found)


def first_flips(wrong: Tensor, grid: Tensor) -> Tensor:
    """Return the smallest eps at which each image is wrong, ``(N,)`` float64: 0 where it is so at once, infinity where it never is.

    ``wrong`` is ``(1 + G, N)`` bool, at eps 0 and at each eps of ``grid`` ``(G,)``.
    """
    radii = torch.cat([torch.zeros(1, dtype=torch.float64), grid.double(), torch.full((1,), torch.inf, dtype=torch.float64)])
    always = torch.ones(1, wrong.shape[1], dtype=torch.bool)
    return radii[torch.cat([wrong, always]).int().argmax(0)]


def unflipped_as_published(wrong: Tensor) -> Tensor:
    """Return which images the authors' loop of 2017 ends with as unflipped, ``(N,)`` bool: positions in a subset, used in the whole set.

    Each round attacks the images that ``left`` names, and keeps those that still hold. ``wrong`` is as in `first_flips`.
    """
    count = wrong.shape[1]
    left, newest = torch.arange(count), torch.zeros(count, dtype=torch.int64)
    for radius in range(1, len(wrong)):
        newest[left] = radius
        left = (~wrong[radius, left]).nonzero().flatten()  # the fault: not left[...]
    return ~wrong[newest, torch.arange(count)]
