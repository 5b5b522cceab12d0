"""Running one attack of a table, batch by batch, and the predictions of all models that its images are made for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.driver import Run, start
from engine.errors import GibbonError
from engine.evaluate.batch.aims import target_of
from engine.evaluate.batch.rows import single
from engine.evaluate.control import control
from engine.evaluate.tables.budgets import Variant
from engine.evaluate.tables.cells import NORMS, TENSORS, Verdicts
from engine.evaluate.transfer import ask
from engine.images import digest
from engine.images.grid import lattice
from engine.result import AttackResult


@dataclass(frozen=True, eq=False)
class Bench:
    """The images that one model is attacked on, with everything that decides the bits of the result."""

    variant: Variant
    classifier: Classifier
    """The model on which the images are made; it takes images of the data set's size."""
    images: Tensor
    """The clean images, ``(N, C, H, W)`` in [0, 1]."""
    labels: Tensor
    """The true classes ``(N,)``, as numbers of ``classifier``."""
    seeds: Sequence[int]
    together: int

    def batches(self) -> list[slice]:
        """Return the rows of each batch; an attack that learns from all images gets one image at a time, as alone."""
        size = self.together if self.variant.attack.by_rows else 1
        return [slice(first, min(first + size, len(self.images))) for first in range(0, len(self.images), size)]

    def posed(self, rows: slice) -> Posed:
        """Return the inputs of one batch."""
        images, labels, seeds = self.images[rows], self.labels[rows], list(self.seeds[rows])
        found = [
            target_of(self.variant.aim, self.classifier, image, int(label), seed)
            for image, label, seed in zip(images, labels, seeds, strict=True)
        ]
        targets = None if None in found else torch.tensor(found)
        return Posed(self.variant, self.classifier, images, labels, targets, tuple(seeds))


@dataclass(frozen=True, eq=False)
class Posed:
    """The inputs of one batch of an attack."""

    variant: Variant
    classifier: Classifier
    images: Tensor
    labels: Tensor
    targets: Tensor | None
    seeds: tuple[int, ...]

    def start(self) -> Run:
        """Start the attack on the batch; the same inputs give the same bits."""
        return start(self.variant.attack, self.classifier, self.images, self.labels, self.targets, seeds=self.seeds)


@dataclass(frozen=True, eq=False)
class CellRun:
    """Inputs that replay the attack on one image of a cell.

    ``start`` attacks the whole batch in which the image was attacked, and gives the same bits. ``image``, ``label``, ``target`` and
    ``seed`` are for an attack on the image alone: it draws the same random numbers, but rounding may differ in the last digits unless
    ``exact_alone``.
    """

    posed: Posed
    row: int
    """The image's row in the batch."""
    index: int
    """The image's number in the cell."""

    @property
    def image(self) -> Tensor:
        """The clean image, ``(C, H, W)``."""
        return self.posed.images[self.row]

    @property
    def label(self) -> int:
        """The true class, as a number of the attacked model."""
        return int(self.posed.labels[self.row])

    @property
    def target(self) -> int | None:
        """The target class; None where the attack is untargeted."""
        return None if self.posed.targets is None else int(self.posed.targets[self.row])

    @property
    def seed(self) -> int:
        """The seed with which this image draws as the only one of its run."""
        return self.posed.seeds[self.row]

    @property
    def exact_alone(self) -> bool:
        """Whether the image was attacked alone, so that a run of it alone gives the same bits."""
        return len(self.posed.images) == 1

    def start(self) -> Run:
        """Start the attack on the batch once more."""
        return self.posed.start()

    def result(self) -> AttackResult:
        """Run the batch to its end, and return the result of this image's row."""
        with self.start() as run:
            for _ in run:
                pass
        result = run.result()
        assert isinstance(result, AttackResult)
        return single(result, self.row, self.seed, assumed=False)


@dataclass(frozen=True, eq=False)
class Judge:
    """A model that is evaluated on the images."""

    classifier: Classifier
    """It takes images of the data set's size."""
    labels: Tensor
    """The true classes ``(N,)``, as numbers of this model."""


@dataclass(frozen=True, eq=False)
class Crafted:
    """The outcome of one attack: verdicts by judge, images, and their hashes."""

    verdicts: tuple[Verdicts | GibbonError, ...]
    adversarial: Tensor
    digests: tuple[str, ...]


def craft(bench: Bench, judges: Sequence[Judge]) -> Generator[tuple[float, int], None, Crafted]:
    """Attack all images and evaluate the judges; yield the share that is done and the number of images, at every step of the attack."""
    images: list[Tensor] = []
    parts: list[list[dict[str, Tensor]]] = [[] for _ in judges]
    failed: dict[int, GibbonError] = {}
    total = len(bench.images)
    for rows in bench.batches():
        posed = bench.posed(rows)
        with closing(posed.start()) as run:
            for step in run:
                part = min(1.0, (step.index + 1) / (step.total + 1)) if step.total is not None else 0.0
                yield (rows.start + part * len(posed.images)) / total, rows.start
            result = run.result()
        assert isinstance(result, AttackResult)
        noise = _noise(result, posed)
        for place, judge in enumerate(judges):
            if place not in failed:
                try:
                    parts[place].append(_asked(judge, judge.labels[rows], result, noise))
                except GibbonError as error:
                    failed[place] = error
            yield rows.stop / total, rows.stop
        images.append(result.adversarial.detach().cpu())
    adversarial = torch.cat(images)
    verdicts = tuple(failed[place] if place in failed else _joined(found) for place, found in enumerate(parts))
    return Crafted(verdicts, adversarial, tuple(digest(image) for image in adversarial))


def _noise(result: AttackResult, posed: Posed) -> Tensor:
    """Return random noise as large as the perturbations; the row of each image is drawn from its own seed."""
    pairs = zip(result.clean, result.adversarial, posed.seeds, strict=True)
    return torch.cat([control(clean[None], adversarial[None], seed=seed) for clean, adversarial, seed in pairs])


def _asked(judge: Judge, labels: Tensor, result: AttackResult, noise: Tensor) -> dict[str, Tensor]:
    verdict = ask(judge.classifier, result, noise)
    if verdict.clean is None or verdict.adversarial is None or verdict.noise is None:
        raise GibbonError(verdict.excuse)
    if result.targets is not None and verdict.targets is None:
        raise GibbonError(f"“{judge.classifier.name}” lacks a class that the attack aims at. Choose a model of the same classes.")
    broken = (verdict.clean.isnan() | verdict.adversarial.isnan()).any(1)
    found = {
        "labels": labels,
        "before": verdict.clean.argmax(1),
        "after": verdict.adversarial.argmax(1),
        "after_8bit": judge.classifier.predict(lattice(result.adversarial)),
        "noise": verdict.noise.argmax(1),
        "targets": torch.full_like(labels, -1) if verdict.targets is None else verdict.targets,
        "failed": result.failed.to(broken.device) | broken,
        "norms": torch.stack([result.norms[name].double().cpu() for name in NORMS], 1),
    }
    return {name: value.detach().cpu() for name, value in found.items()}


def _joined(parts: Sequence[dict[str, Any]]) -> Verdicts:
    return Verdicts(**{name: torch.cat([part[name] for part in parts]) for name in TENSORS})
