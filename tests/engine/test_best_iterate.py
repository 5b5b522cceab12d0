"""The best iterate: batches on tensors, a single image in Python's numbers, and the rule written out, on made-up runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import pytest
import torch
from torch import Tensor

import engine
from engine.access import ModelAccess
from engine.batch_best import BatchBest
from engine.operation import Attack, AttackStep, Problem
from engine.randomness import RowRandom
from engine.single_best import SingleBest


class ByLoss(Attack):
    """Never run: it only says what is kept."""

    slug, title, family = "by-loss", "By loss", "Test"

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        raise NotImplementedError


class ByNorm(ByLoss):
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "norm"


class Last(ByLoss):
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"


STRANGE = (math.nan, math.inf, -math.inf)


def made_up(rows: int, seed: int, scored: bool, classes: int = 5) -> list[AttackStep]:
    """Steps of small whole numbers, so that ties are many; some are NaN or infinite."""
    random = torch.Generator().manual_seed(seed)

    def numbers(*shape: int) -> Tensor:
        values = torch.randint(-2, 3, shape, generator=random).float()
        for value in STRANGE:
            values[torch.rand(shape, generator=random) < 0.04] = value
        return values

    steps = int(torch.randint(1, 40, (), generator=random))
    images = [torch.randint(0, 3, (rows, 3, 8, 8), generator=random) / 2 for _ in range(steps)]
    return [
        AttackStep(i, None, images[i], numbers(rows), numbers(rows, classes), score=numbers(rows) if scored else None) for i in range(steps)
    ]


def problem(small: engine.Classifier, rows: int, targeted: bool) -> Problem:
    labels = torch.arange(rows) % 5
    targets = (labels + 1) % 5 if targeted else None
    return Problem(ModelAccess(small, "gradients"), torch.zeros(rows, 3, 8, 8), labels, RowRandom(0, range(rows)), targets)


def by_the_rule(attack: Attack, given: Problem, steps: list[AttackStep], row: int) -> tuple[int, int, bool]:
    """The place of the best step, the index of the first success, and whether a NaN was met."""
    best, flip, met = 0, -1, False
    rank = (False, -math.inf)
    for place, step in enumerate(steps):
        assert step.logits is not None
        loss, logits = float(step.loss[row]), step.logits[row]
        nan = math.isnan(loss) or bool(logits.isnan().any())
        wanted = given.labels[row] if given.targets is None else given.targets[row]
        success = not nan and bool(logits.argmax() == wanted) == (given.targets is not None)
        score = loss
        if attack.keeps == "last":
            score = place
        elif step.score is not None:
            score = float(step.score[row])
        elif attack.keeps == "norm":
            score = -float(step.adversarial[row].norm())
        if nan or math.isnan(score):
            score = -math.inf
        if (success and attack.keeps != "last", score) > rank:
            rank, best = (success and attack.keeps != "last", score), place
        if success and flip < 0:
            flip = step.index
        met = met or nan
    return best, flip, met


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize("attack", [ByLoss(), ByNorm(), Last()], ids=lambda attack: attack.keeps)
def test_a_batch_and_a_single_image_are_judged_by_the_same_rule(
    attack: Attack, scored: bool, targeted: bool, small: engine.Classifier
) -> None:
    for seed in range(25):
        rows = 1 + seed % 3
        given, steps = problem(small, rows, targeted), made_up(rows, seed, scored)
        best = BatchBest(attack, given, None)
        for step in steps:
            best.keep(step)
        for row in range(rows):
            place, flip, met = by_the_rule(attack, given, steps, row)
            alone = SingleBest(attack, given.select(torch.tensor([row])), None)
            for step in steps:
                assert step.logits is not None
                cut = {
                    name: None if getattr(step, name) is None else getattr(step, name)[row : row + 1]
                    for name in ("loss", "logits", "score")
                }
                alone.keep(replace(step, adversarial=step.adversarial[row : row + 1], **cut))
            for kept, here in ((best, row), (alone, 0)):
                assert torch.equal(kept.images[here], steps[place].adversarial[row]), (seed, row)
                assert torch.equal(kept.loss[here].nan_to_num(7), steps[place].loss[row].nan_to_num(7))
                assert int(kept.steps_to_flip[here]) == flip
                assert bool(kept.failed[here]) == met
