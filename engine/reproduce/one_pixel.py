"""The one-pixel gallery: photographs that change their predicted class once a single pixel has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch

from engine.artifacts import Axis, Curve, Picture
from engine.attacks import OnePixel
from engine.operation import AttackStep, Problem
from engine.parameters import method
from engine.reproduce.experiment import Experiment, Report, attacking, correct, outcome, share
from engine.reproduce.findings import at_least, between
from engine.result import AttackResult
from engine.text.formatting import format_probability

GALLERY = (
    "ship → car 99.7 %",
    "horse → frog 99.9 %",
    "deer → airplane 85.3 %",
    "deer → dog 86.4 %",
    "bird → frog 88.8 %",
    "horse → dog 70.7 %",
    "dog → cat 75.5 %",
    "bird → frog 86.5 %",
)
"""Examples that the lecture shows."""
_EFFORT = {"fast": (100, 40), "full": (400, 75)}
"""Population and generations of each effort."""
_ACCEPTED = {"fast": (20, 60), "full": (35, 70)}
CONFIDENT = 0.70
_WHOLE = 100
_TOGETHER = 5
"""Photographs attacked together: one step is a generation of all of them, and should not take long."""


class OnePixelGallery(Experiment):
    """Run differential evolution over one pixel of each of a hundred test photographs, and show the eight most confident flips.

    Only images that are right before count. An image is done once the label's probability is below 5 %, so that the gallery shows confident
    flips; a flip of any confidence is a success. ``fast`` has a population of 100 for 40 generations (about 4,000 queries an image),
    ``full`` 400 for 75 (about 30,000).
    """

    slug: ClassVar[str] = "h3-one-pixel"
    title: ClassVar[str] = "One-pixel gallery on CIFAR-10"
    source: ClassVar[str] = "Horváth 2020, “Adversarial samples in machine learning” (lecture), “One Pixel attacks”"
    paper: ClassVar[str] = "Su, Vargas, Sakurai 2017, arXiv 1710.08864"
    tolerance: ClassVar[str] = (
        "Success 35 to 70 % at 400 × 75 and 20 to 60 % at 100 × 40; at least eight flips with p ≥ 0.70 among 100 photographs. The bands "
        "were fixed for networks of 70 to 78 %; the shipped `objects` has 78.5 %, a little above, and is held to the same."
    )
    model: ClassVar[str] = "objects"
    data_set: ClassVar[str] = "cifar10"
    columns: ClassVar[int] = 4

    effort: Literal["fast", "full"] = method("fast")
    """Effort of the search. fast: 100 x 40, minutes. full: 400 x 75, ten times as long."""
    photographs: int = method(100, ge=1, le=5000)
    """Number of test images that are predicted correctly before, spread over the classes. With fewer than 100 the eight confident flips are
    not required.
    """

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Choose images, attack all of them together, sort the flips."""
        whole = problem.classifier.whole
        data = yield from self.images(report, "test", take=2 * self.photographs)
        images, labels = yield from correct(problem, data)
        report.find("clean accuracy of the network", 100 * len(images) / len(data), unit="%", digits=1)
        chosen = torch.randperm(len(images), generator=problem.random.shared(self.slug))[: self.photographs]
        images, labels = images[chosen], labels[chosen]
        population, generations = _EFFORT[self.effort]
        attack = OnePixel(population=population, generations=generations, stop="confidence")
        with attacking(problem, attack, images, labels, together=_TOGETHER) as run:
            part = begun = -1
            for step in run:
                assert isinstance(step, AttackStep)
                done = min(step.first_row + _TOGETHER, len(images))
                begun = step.index if step.first_row != part else begun
                part = step.first_row
                # A chunk may end before its last generation, so the steps do not show the progress of the whole.
                report.share_done = (part + (done - part) * (step.index - begun) / (generations + 1)) / len(images)
                yield f"one pixel, {population} × {generations}, photographs {step.first_row + 1} to {done} of {len(images)}"
            result = outcome(run)
        self._report(report, result)
        self._show(report, result, whole.labels)

    def _report(self, report: Report, result: AttackResult) -> None:
        p = result.logits.softmax(1).amax(1)
        success = result.success
        confident = float((success & (p >= CONFIDENT)).sum())
        low, high = _ACCEPTED[self.effort]
        report.find(
            f"success, {len(success)} photographs, {self.effort}",
            share(success),
            between(low, high),
            paper="68 %, second-hand",
            unit="%",
            digits=1,
        )
        wanted = at_least(8) if len(success) >= _WHOLE else None  # fewer photographs give fewer flips, so there is no tolerance then
        report.find("flips with p ≥ 0.70", confident, wanted, lecture="8 shown, p ≥ 0.707", digits=0)
        average = float(p[success].mean()) if bool(success.any()) else float("nan")
        report.find(
            "mean confidence of the flips", 100 * average, lecture="86.6 % of the eight", paper="74 %, second-hand", unit="%", digits=1
        )
        report.find("most pixels changed in any", float(result.norms["l0"].max()), lecture="1", paper="1", digits=0)
        report.find("queries per photograph", result.forwards / len(success), digits=0)
        report.note(f"The lecture's gallery: {', '.join(GALLERY)}.")
        report.note(
            "The paper's numbers are as others quote them, not read in it. Its 68 % counts images that some target is reached on. "
            "Untargeted, with one pixel on 100 images, the public code “one-pixel-attack-keras” reports 13 % (a plain CNN) to 63 % (LeNet)."
        )

    def _show(self, report: Report, result: AttackResult, labels: tuple[str, ...]) -> None:
        p = torch.where(result.success, result.logits.softmax(1).amax(1), -1.0)
        order = [row for row in p.argsort(descending=True).tolist() if p[row] > 0]
        for place, row in enumerate(order[:8]):
            moved = result.perturbation[row].abs().amax(0)
            top, left = divmod(int(moved.argmax()), moved.shape[1])
            names = f"{labels[int(result.labels[row])]} → {labels[int(result.prediction[row])]}"
            text = f"{names} {format_probability(float(p[row]))}, row {top}, column {left}"
            report.show(f"flip {place + 1}", Picture(result.adversarial[row], text))
        if order:
            ordered = 100 * p[torch.tensor(order, device=p.device)].cpu()
            x = torch.arange(1, len(order) + 1)
            report.show(
                "confidence", Curve(x, {"confidence": ordered}, "All flips, sorted", Axis("flip", "step"), Axis("p of the new class, %"))
            )
