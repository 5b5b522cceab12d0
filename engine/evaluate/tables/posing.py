"""The inputs of a table's attacks: the images that a model is attacked on, a batch of them, and the replay of one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.driver import Run, start
from engine.evaluate.batch.aims import target_of
from engine.evaluate.batch.rows import single
from engine.evaluate.inner_runs import rows_at_a_time
from engine.evaluate.tables.budgets import Variant
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
        attack, together = self.variant.attack, rows_at_a_time(self.variant.attack, self.images)
        return start(attack, self.classifier, self.images, self.labels, self.targets, seeds=self.seeds, rows_at_a_time=together)


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
