"""Fooling images: noise, and one step of it towards a class."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import models
from engine.artifacts import Axis, Curve, Picture
from engine.classifier import Classifier
from engine.operation import Problem
from engine.parameters import method
from engine.reproduce.experiment import LECTURED, Experiment, Report, own_recipe
from engine.reproduce.findings import around
from engine.text.formatting import format_probability

RADII = (0.1, 0.25)
_REFERENCE = {0.1: (61, "2: 93 %", "1: 19 %"), 0.25: (76, "2: 99 %", "0: 33 %")}
"""Reference values of an earlier run on MNIST: mean share in percent, best class, worst class."""
_CHUNK = 250
"""Number of starts that are drawn together."""
_TOGETHER = 84
"""Number of starts in one forward pass, which takes a tenth of a second."""
OBJECTS = "objects"
HARDEST = "airplane"


class FoolingImages(Experiment):
    """Draw noise, take one sign step towards a class, and count how often its probability is at least one half.

    ``x ~ N(0, I)``; ``x' = x + eps * sign(d log p_t / d x)``; a success where ``p_t(x') >= 0.5``, the yellow box of the paper's figure 5.
    Neither ``x`` nor ``x'`` is kept within [0, 1]. Every start is tried with every class; one gradient serves both radii.
    """

    slug: ClassVar[str] = "h0-fooling"
    title: ClassVar[str] = "Fooling images from noise"
    source: ClassVar[str] = "Mou & Jaini 2017, “Adversarial Training and Security in ML” (lecture), “Adversarial Samples from Random”"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572, figure 5"
    tolerance: ClassVar[str] = (
        "Mean share over the classes of MNIST within 15 points of a reference run (61 % at eps 0.1, 76 % at 0.25). "
        "The ranking on CIFAR-10 has no threshold."
    )
    model: ClassVar[str] = LECTURED

    starts: int = method(1000, ge=10, le=100_000)
    """Number of noise images, each tried with every class."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Measure the digits, then the objects of CIFAR-10 where that model is present."""
        whole = problem.classifier.whole
        report.data = f"{self.starts} images drawn from N(0, I)"
        colours = models.load(OBJECTS, device=whole.device) if OBJECTS in models.shipped.names() else None
        own_recipe(report, whole)
        report.expect(self._count(whole) + (0 if colours is None else self._count(colours)))
        shown = whole if colours is None else colours
        name = HARDEST if HARDEST in shown.labels else shown.labels[0]
        self._pictures(problem, report, shown, shown.labels.index(name))
        found = yield from self._shares(problem, whole)
        self._report(report, whole, found)
        if colours is None:
            report.find("place of “airplane” from the bottom (CIFAR-10)", "no model", paper="1 of 10 (hardest)")
        else:
            self._rank(report, colours, (yield from self._shares(problem, colours)))

    def _shares(self, problem: Problem, classifier: Classifier) -> Generator[str, None, dict[float, Tensor]]:
        """Return the shares in percent: key 0 is ``(1,)`` for plain noise on any class, each radius ``(K,)`` per class."""
        successes = {radius: torch.zeros(classifier.num_classes) for radius in RADII}
        plain = torch.zeros(())
        for number, (noise, target) in enumerate(self._tries(problem, classifier), 1):
            direction, p = uphill(classifier, noise, target)
            problem.classifier.forwards += len(noise) * (1 + len(RADII))
            problem.classifier.backwards += len(noise)
            if target == 0:
                plain += (p.amax(1) >= 0.5).sum().cpu()
            for radius in RADII:
                moved = classifier.score(noise + radius * direction).softmax(1)[:, target]
                successes[radius][target] += (moved >= 0.5).sum().cpu()
            part = f"part {number} of {self._count(classifier)}"
            yield f"{classifier.name}: noise towards “{classifier.labels[target]}”, {part}"
        return {0.0: 100 * plain[None] / self.starts, **{radius: 100 * count / self.starts for radius, count in successes.items()}}

    def _tries(self, problem: Problem, classifier: Classifier) -> Iterator[tuple[Tensor, int]]:
        """Yield every start with every class, as many together as one step can hold."""
        for first in range(0, self.starts, _CHUNK):
            drawn = self._noise(problem, classifier, first, min(_CHUNK, self.starts - first))
            for noise in torch.split(drawn, _TOGETHER):
                for target in range(classifier.num_classes):
                    yield noise, target

    def _count(self, classifier: Classifier) -> int:
        """Return the number of batches of `_tries`."""
        whole, rest = divmod(self.starts, _CHUNK)
        return classifier.num_classes * (whole * -(-_CHUNK // _TOGETHER) + -(-rest // _TOGETHER))

    def _noise(self, problem: Problem, classifier: Classifier, first: int, count: int) -> Tensor:
        generator = problem.random.shared(self.slug, classifier.num_classes, first)
        return torch.randn(count, *classifier.input_shape, generator=generator).to(classifier.device, classifier.dtype)

    def _report(self, report: Report, classifier: Classifier, shares: dict[float, Tensor]) -> None:
        for radius in RADII:
            per_class = shares[radius]
            mean, best, worst = _REFERENCE[radius]
            report.find(f"p ≥ 0.5 at eps {radius}, mean of the classes", float(per_class.mean()), around(mean, 15), unit="%", digits=1)
            for which, at, reference in (("easiest", int(per_class.argmax()), best), ("hardest", int(per_class.argmin()), worst)):
                ours = f"{classifier.labels[at]}: {float(per_class[at]):.1f} %"
                report.find(f"{which} class at eps {radius}", ours, reference=reference)
        report.find("plain noise at p ≥ 0.5 on some class", float(shares[0.0][0]), reference="83 %", unit="%", digits=1)
        report.show("shares", _curve(classifier, shares, "Share per class"))

    def _rank(self, report: Report, classifier: Classifier, shares: dict[float, Tensor]) -> None:
        for radius in RADII:
            order = shares[radius].argsort().tolist()
            names = ", ".join(f"{classifier.labels[k]} {float(shares[radius][k]):.0f}" for k in order)
            report.find(f"{classifier.name}, hardest first, eps {radius} (%)", names, paper="airplane is the hardest")
        if HARDEST in classifier.labels:
            place = shares[RADII[0]].argsort().tolist().index(classifier.labels.index(HARDEST)) + 1
            report.find("place of “airplane” from the bottom (CIFAR-10)", f"{place} of {classifier.num_classes}", paper="1 of 10 (hardest)")
        report.show("objects", _curve(classifier, shares, "Share per class (CIFAR-10)"))
        report.note(f"Classes of {classifier.name}: {', '.join(f'{k} {name}' for k, name in enumerate(classifier.labels))}.")

    def _pictures(self, problem: Problem, report: Report, classifier: Classifier, target: int) -> None:
        """Show ten of the images, like the figure of the paper; display clips them to [0, 1]."""
        noise = self._noise(problem, classifier, 0, 10)
        direction, _ = uphill(classifier, noise, target)
        images = noise + RADII[0] * direction
        p = classifier.score(images).softmax(1)[:, target].tolist()
        for place, (image, probability) in enumerate(zip(images, p, strict=True)):
            mark = "✓" if probability >= 0.5 else "✗"
            title = f"{mark} {classifier.labels[target]} {format_probability(probability)}"
            report.show(f"noise {place}", Picture(image.clamp(0, 1), title))


@torch.enable_grad()
def uphill(classifier: Classifier, images: Tensor, target: int) -> tuple[Tensor, Tensor]:
    """Return ``sign(d log p_target / d images)`` and the probabilities ``(N, K)`` before the step."""
    images = images.clone().requires_grad_()
    logits = classifier(images)
    towards = torch.full((len(images),), target, device=logits.device)
    gradient = torch.autograd.grad(-F.cross_entropy(logits, towards, reduction="sum"), images)[0]
    return gradient.sign(), logits.detach().softmax(1)


def _curve(classifier: Classifier, shares: dict[float, Tensor], title: str) -> Curve:
    lines = {f"eps {radius}": shares[radius] for radius in RADII}
    return Curve(torch.arange(classifier.num_classes), lines, title, Axis("class", "step"), Axis("p ≥ 0.5, %"))
