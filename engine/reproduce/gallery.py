"""The targeted gallery: five digits that a network reads as 6, 4, 3, 5 and 9."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve, Picture
from engine.attacks import PGD
from engine.errors import GibbonError
from engine.operation import AttackStep, Problem
from engine.parameters import method
from engine.reproduce.experiment import LECTURED, Experiment, Report, attacking, correct, own_recipe, share
from engine.reproduce.findings import at_least, at_most, exactly
from engine.text.formatting import format_probability

TARGETS = (6, 4, 3, 5, 9)
PRINTED = (0.93, 0.98, 0.99, 0.98, 1.00)
"""The lecture's digits with the probabilities of its network."""


class Gallery(Experiment):
    """Five digits, each moved by targeted sign steps until the network reads it as 6, 4, 3, 5 or 9.

    ``X_adv = X - alpha * sign(d J(X, y_target) / d X)``, repeated at most ``steps`` times and stopped as soon as ``p(y_target) >=
    confident``. The lecture prints five images with 0.93 to 1.00; number and length of the steps are not stated.
    """

    slug: ClassVar[str] = "h0-gallery"
    title: ClassVar[str] = "Targeted gallery: 6 4 3 5 9"
    source: ClassVar[str] = "Mou & Jaini 2017, “Adversarial Training and Security in ML” (lecture), mini-project"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572; iterated: Kurakin et al. 2016, arXiv 1607.02533"
    tolerance: ClassVar[str] = "In the group shown: 5 of 5 targets, p ≥ 0.90, L∞ ≤ 0.45, 5 s. The other groups have no published number."
    model: ClassVar[str] = LECTURED
    data_set: ClassVar[str] = "mnist"
    fallback: ClassVar[str] = "generated:digits"

    groups: int = method(59, ge=1, le=1000)
    """Number of groups of five test digits, each predicted correctly before and none its own target."""
    alpha: float = method(0.02, title="length of a step", gt=0, le=1, unit="of [0, 1]")
    """Length of one step in pixel units."""
    steps: int = method(50, ge=1, le=1000)
    """Largest number of steps for an image."""
    confident: float = method(0.93, gt=0, lt=1)
    """Probability of the target at which an image is finished: the lowest that the lecture prints."""

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Attack the group of the figure alone, with its time; then all the others as rows of one batch."""
        whole = problem.classifier.whole
        data = yield from self.images(report, "test", count=max(60, 6 * self.groups))
        own_recipe(report, whole)
        images, labels = yield from correct(problem, data, least=5)
        rows = grouped(labels.cpu(), self.groups, problem.random.shared(self.slug))
        yield f"{self.groups} groups of five"
        targets = torch.tensor(TARGETS, device=whole.device).repeat(self.groups)
        shown, seconds = _Stopped(self.confident), 0.0
        for part, stopped in ((slice(0, 5), shown), (slice(5, None), _Stopped(self.confident))):
            if len(rows[part]) == 0:
                continue
            attack = PGD(eps=None, norm="linf", steps=self.steps, step_size=self.alpha, random_start=False)
            with attacking(problem, attack, images[rows[part]], labels[rows[part]], targets[part]) as run:
                for step in run:
                    assert isinstance(step, AttackStep)
                    stopped.take(step, targets[part])
                    yield f"step {step.index} of {self.steps}, {len(rows[part]) // 5} group{'s' if part.start else ''}"
                    if bool(stopped.done.all()):
                        break
                seconds = run.seconds if part.start == 0 else seconds
        rest = stopped if self.groups > 1 else None
        self._report(report, images[rows[:5]], labels[rows[:5]], shown, seconds)
        self._tell_groups(report, images[rows], shown, rest)

    def _report(self, report: Report, clean: Tensor, labels: Tensor, shown: _Stopped, seconds: float) -> None:
        for place, (target, printed) in enumerate(zip(TARGETS, PRINTED, strict=True)):
            p = float(shown.probability[place])
            title = f"{int(labels[place])} read as {target}, {format_probability(p)} (lecture: {printed:.2f})"
            report.show(f"read as {target}", Picture(shown.images[place], title))
        reach = (shown.images - clean).abs().flatten(1).amax(1)
        report.find("targets reached, group shown", float((shown.predicted == shown.targets).sum()), exactly(5), lecture="5 of 5", digits=0)
        report.find("lowest p(target), group shown", float(shown.probability.min()), at_least(0.90), lecture="0.93 (0.98 for the 4)")
        report.find("largest L∞, group shown", float(reach.max()), at_most(0.45))
        report.find("time, group shown", seconds, at_most(5), unit="s")

    def _tell_groups(self, report: Report, clean: Tensor, shown: _Stopped, rest: _Stopped | None) -> None:
        parts = [shown] if rest is None else [shown, rest]
        p = torch.cat([part.probability for part in parts]).reshape(-1, 5)
        images = torch.cat([part.images for part in parts])
        reached = torch.cat([part.predicted == part.targets for part in parts]).reshape(-1, 5)
        reach = (images - clean).abs().flatten(1).amax(1).reshape(-1, 5).amax(1)
        ordered = reach.sort().values
        count = f"{len(p)} group{'s' if len(p) > 1 else ''}"
        report.find(f"{count}: all five at p ≥ 0.90", share(((p >= 0.90) & reached).all(1)), reference="100 %", unit="%", digits=1)
        report.find(f"{count}: median of the largest L∞", float(ordered[len(ordered) // 2]), reference="0.30")
        report.find(f"{count}: its 95th percentile", float(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]), reference="0.42")
        if len(p) > 1:
            x = torch.arange(1, len(ordered) + 1) / len(ordered) * 100
            report.show("reach", Curve(x, {"largest L∞ in a group": ordered.cpu()}, "All groups, sorted", Axis("groups, %"), Axis("L∞")))


class _Stopped:
    """Keeper of each row's first iterate whose target is probable enough, or else of the last one."""

    def __init__(self, confident: float) -> None:
        self._confident = confident
        self.images: Tensor

    def take(self, step: AttackStep, targets: Tensor) -> None:
        """Take one more iterate into account."""
        assert step.logits is not None
        p = step.logits.softmax(1).gather(1, targets[:, None])[:, 0]
        predicted = step.logits.argmax(1)
        if step.index == 0:
            self.images, self.probability, self.predicted, self.targets = step.adversarial, p, predicted, targets
            self.done = p >= self._confident
            return
        self.images = torch.where(self.done[:, None, None, None], self.images, step.adversarial)
        self.probability = torch.where(self.done, self.probability, p)
        self.predicted = torch.where(self.done, self.predicted, predicted)
        self.done = self.done | (p >= self._confident)


def grouped(labels: Tensor, groups: int, generator: torch.Generator) -> Tensor:
    """Return indices of ``5 * groups`` different images in random order, the k-th of each five not of class ``TARGETS[k]``.

    Raises
    ------
    GibbonError
        There are too few such images.
    """
    waiting = torch.randperm(len(labels), generator=generator).tolist()
    chosen: list[int] = []
    for target in TARGETS * groups:
        place = next((at for at, row in enumerate(waiting) if int(labels[row]) != target), None)
        if place is None:
            raise GibbonError(f"{len(labels)} images do not suffice for {groups} groups of five digits. Choose fewer groups.")
        chosen.append(waiting.pop(place))
    return torch.tensor(chosen)
