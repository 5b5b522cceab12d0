"""Black and white stickers against a network of bounded rectifiers, with a control that the lecture does not have."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Picture
from engine.attacks import StickerSearch
from engine.classifier import Classifier
from engine.data import DataSet
from engine.intervals import wilson
from engine.operation import Problem
from engine.reproduce.defenses.base import Amounts, DefenseExperiment
from engine.reproduce.defenses.judging import attacked, judged
from engine.reproduce.defenses.stages import Stages
from engine.reproduce.defenses.trained import Recipe, by_adam
from engine.reproduce.experiment import Report
from engine.reproduce.findings import NOTHING, Tolerance, at_most, exactly
from engine.text.formatting import counted

ORIGINAL, BOUNDED, CONTROL = "original ReLU", "bounded leaky ReLU", "original ReLU, another seed"
NETWORKS = (ORIGINAL, BOUNDED, CONTROL)
CELLS = ("neither", "the other only", "the original only", "both")
_SPARE = 3
"""Test images that are read for each one that is attacked, since all three networks must be right on it."""
_BATCHES = 100
"""Batches of 128 that a network is trained on at least: on the few images of two signs three epochs would end at the more frequent sign."""
_TRAINING, _PASS = 3.0, 1.0
"""Rough times of an image in training and in a forward pass."""


@dataclass(frozen=True)
class Way:
    """A task: the classes that the networks tell apart, and the lecture's percentages."""

    name: str
    classes: tuple[str, ...]
    """The names of the signs; empty: all."""
    more_epochs: int
    """Epochs beyond those of the experiment, for the smaller set."""
    lecture: tuple[str, str, str, str]
    """The lecture's percentages for `CELLS`."""


WAYS = (
    Way("two-way", ("Stop", "Speed limit 30"), 1, ("3 %", "0 %", "91 %", "6 %")),
    Way("forty-way", (), 0, ("17 %", "0 %", "80.5 %", "2.5 %")),
)


class StickersOnBounded(DefenseExperiment):
    """Search for two black and two white stickers that fool a network of plain rectifiers and one of bounded ones, by two protocols.

    The lecture's table says of each attack whether it fools neither network, only the bounded one, only the original, or both. It does not
    say for which network the stickers were made, so both ways are shown: stickers made for each network on itself, and stickers made for
    the original and shown to all. A third network stands beside them: the original from another seed. Fooling "the original only" is what
    transfer to any other network looks like, so the bounded network must be compared with this control.

    The lecture names neither data set nor numbers of images and stickers. Here: traffic signs, networks of six convolutions with batch
    normalisation, trained by Adam; the bound is trained, from 1, with slopes of 0.01, falling above it; stickers of 2 to 8 of 32 pixels by
    differential evolution, 64 candidates by 20 generations; images that all three networks predict correctly. "Two-way" are stop and speed
    limit 30: the same network, which has seen no other sign, trained for three epochs or at least 100 batches.
    """

    slug: ClassVar[str] = "h4-stickers"
    title: ClassVar[str] = "Stickers on a bounded network"
    source: ClassVar[str] = "Horváth (lecture), “Adversarial patches”: bounded ReLU against stickers, two-way and forty-way"
    paper: ClassVar[str] = "Horváth, Egervári 2018, ICDIP (not available here)"
    tolerance: ClassVar[str] = (
        "The four shares sum to 100 %; of stickers made for the original, at most 10 % fool the bounded network only. Whether the bounded "
        "network beats the control is said, not required."
    )
    data_set: ClassVar[str] = "gtsrb"
    fallback: ClassVar[str] = "generated:signs"
    architecture: ClassVar[str] = "signs"
    amounts: ClassVar[Mapping[str, Amounts]] = MappingProxyType({"full": Amounts(None, 200, 2), "quick": Amounts(6_000, 40, 3)})

    def perform(self, problem: Problem, report: Report) -> Iterator[str]:
        """Train three networks for each task, attack them, and compare."""
        train, test = yield from self.sets(problem, report)
        parts = [(way, _of(train, way), _of(test, way)) for way in WAYS]
        for way, own, _ in parts:
            report.note(f"{_sentence(way.name)}: trained on {counted(len(own), 'image')} for {counted(self._epochs(way, own), 'epoch')}.")
        count, attack = self.amount.images or len(test), StickerSearch()
        work = [3 * _TRAINING * len(own) * self._epochs(way, own) for way, own, _ in parts]
        each = _PASS * count * attack.queries / 2
        stages = Stages(report, sum(work) + len(parts) * 3 * (each + _PASS * _SPARE * count))
        for (way, own, tested), training in zip(parts, work, strict=True):
            networks = yield from self._networks(problem, stages, way, own, training / 3)
            yield from self._compared(problem, report, stages, way, networks, self.chosen(tested, _SPARE * count), count, attack, each)

    def _epochs(self, way: Way, train: DataSet) -> int:
        """Return the number of epochs: a given one, or that of the size, and as many as `_BATCHES` take."""
        if self.epochs is not None:
            return self.epochs
        return max(self.amount.epochs + way.more_epochs, math.ceil(_BATCHES * 128 / len(train)))

    def _networks(
        self, problem: Problem, stages: Stages, way: Way, train: DataSet, weight: float
    ) -> Generator[str, None, dict[str, Classifier]]:
        epochs, found = self._epochs(way, train), {}
        for name in NETWORKS:
            bounded = {"activation": "bounded-leaky", "bound": 1.0, "slope": 0.01, "sign": -1} if name == BOUNDED else {}
            recipe = Recipe(f"{name}, {way.name}", "signs", by_adam("standard", epochs, **bounded), seed=int(name == CONTROL))
            found[name] = yield from stages.within(weight, self.network(problem, recipe, train))
        return found

    def _compared(
        self,
        problem: Problem,
        report: Report,
        stages: Stages,
        way: Way,
        networks: Mapping[str, Classifier],
        test: DataSet,
        count: int,
        attack: StickerSearch,
        weight: float,
    ) -> Generator[str, None, None]:
        images, labels = test.batch(slice(None))
        right = torch.ones(len(test), dtype=torch.bool)
        for name, network in networks.items():
            own = yield from stages.within(_PASS * len(test), judged(problem, network, images, labels, "test images"))
            report.count(f"{way.name}, {name}: clean accuracy, {len(test):,} images", own)
            right &= own
        rows = right.nonzero().flatten()[:count]
        if not len(rows):
            report.note(f"{_sentence(way.name)}: all three networks are right on no test image, so none was attacked. Train for longer.")
            return
        images, labels, direct = images[rows], labels[rows], {}
        for name, network in networks.items():
            adversarial = yield from stages.within(weight, attacked(problem, attack, network, images, labels))
            direct[name] = ~(yield from stages.within(0.0, judged(problem, network, adversarial, labels, "stickers made for it")))
            if name == ORIGINAL:
                made = adversarial
        carried = {}
        for name, network in networks.items():
            carried[name] = ~(yield from stages.within(0.0, judged(problem, network, made, labels, "stickers made for the original")))
        _say(report, way, f"{way.name}, each network's own stickers", direct, at_most(100))
        _say(report, way, f"{way.name}, stickers made for the original", carried, at_most(10))
        _show(report, way, images, made, carried)


def _say(report: Report, way: Way, protocol: str, fooled: Mapping[str, Tensor], limit: Tolerance) -> None:
    """Add the shares of fooled images, the four cells of the original with each other network, and the comparison with the control."""
    for name, hits in fooled.items():
        report.count(f"{protocol}: {name} is fooled, {len(hits):,} images", hits)
    for other in (BOUNDED, CONTROL):
        cells = cells_of(fooled[ORIGINAL], fooled[other])
        total = 0.0
        for cell, published, hits in zip(CELLS, way.lecture, cells, strict=True):
            tolerance = limit if other == BOUNDED and cell == "the other only" and limit.high < 100 else None
            lecture = published if other == BOUNDED else NOTHING
            total += report.count(f"{protocol}: original and {other}: {cell}", hits, tolerance, lecture=lecture)
        if other == BOUNDED:
            report.find(f"{protocol}: sum of the four shares", round(total, 9), exactly(100), unit="%", digits=1)
    report.note(f"{_sentence(protocol)}: {verdict_of(fooled[BOUNDED], fooled[CONTROL])}")


def cells_of(original: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Divide attacks ``(N,)`` bool by which of two networks they fool: neither, only the other, only the original, both."""
    return ~original & ~other, ~original & other, original & ~other, original & other


def verdict_of(bounded: Tensor, control: Tensor) -> str:
    """Return one sentence on whether bounding beats the control, by the images on which the two differ.

    If both are as easily fooled, each of these images is as likely to fool the one as the other: a share of one half. Wilson's 95 %
    interval of the share that fools the control only decides.
    """
    only_bounded, only_control = int((bounded & ~control).sum()), int((control & ~bounded).sum())
    verb = "fools" if only_control == 1 else "fool"
    counts = (
        f"{counted(only_control, 'attack')} {verb} the control and not the bounded network, {only_bounded} the bounded network and not "
        "the control"
    )
    if only_bounded + only_control == 0:
        return f"bounding does not beat the control: {counts}."
    low, high = wilson(only_control, only_bounded + only_control)
    if low > 0.5:
        return f"bounding beats the control: {counts}."
    if high < 0.5:
        return f"bounding is worse than the control: {counts}."
    return f"bounding does not beat the control beyond chance: {counts}."


def _show(report: Report, way: Way, images: Tensor, made: Tensor, fooled: Mapping[str, Tensor]) -> None:
    """Show an image before and after, if possible one whose stickers fool the original only."""
    order = (2 * fooled[ORIGINAL].int() - fooled[BOUNDED].int() - fooled[CONTROL].int()).argsort(descending=True, stable=True)
    row = int(order[0])
    says = ", ".join(f"{name} {'fooled' if bool(hits[row]) else 'right'}" for name, hits in fooled.items())
    report.show(f"{way.name} clean", Picture(images[row], f"{way.name}: clean"))
    report.show(f"{way.name} stickers", Picture(made[row], f"{way.name}: {says}"))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of(data: DataSet, way: Way) -> DataSet:
    """Return the images of the task's classes, with the class numbers of the whole set."""
    if not way.classes:
        return data
    names = [name.casefold() for name in data.labels]
    wanted = torch.tensor([names.index(name.casefold()) for name in way.classes])
    return data.subset(torch.isin(data.targets, wanted).nonzero().flatten())
