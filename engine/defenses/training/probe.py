"""The time that a training will take, from a few real steps on a copy of the network."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

import torch

from engine.bits import Bits, whole
from engine.classifier import Classifier
from engine.defenses.objectives import Objective
from engine.defenses.training.fit import Fit
from engine.defenses.training.measuring import ATTACKED, ROWS, Measurement
from engine.defenses.training.train import Train
from engine.driver import start
from engine.text.formatting import counted, duration

if TYPE_CHECKING:
    from engine.data import DataSet

STEPS = 20
"""Batches that are trained on, in all."""
WARM_UP = 0.2
"""The share of them that is not counted: the first passes allocate memory and choose kernels."""
_ATTACK_STEPS = 2
"""Steps of the quick attack that are measured; all of them take the same time."""


@dataclass(frozen=True)
class Estimate:
    """The time that a whole training takes on this computer as it is loaded now."""

    seconds_per_step: float
    """Seconds for a batch, as a mean over the epochs with and without the recipe's attacks."""
    steps: int
    """Number of batches in all epochs."""
    seconds: float
    """Seconds for all epochs with their measurements."""

    @property
    def words(self) -> str:
        """The estimate in words: ``about 3 min 20 s, for 1,560 steps of 0.12 s``."""
        step = self.seconds_per_step
        each = f"{step:.2g} s" if step >= 0.1 else f"{1000 * step:.2g} ms"
        return f"about {duration(self.seconds)}, for {counted(self.steps, 'step')} of {each}"


def estimate(train: Train, classifier: Classifier, data: DataSet, seed: int = 0) -> Estimate:
    """Return the time that ``engine.run(train, classifier, data=data, seed=seed)`` will take, from `STEPS` real steps on a copy.

    Nothing is left behind: no checkpoint is read or written, and the classifier stays unchanged. Where processes train together, all call
    this at once.

    Raises
    ------
    GibbonError
        The training cannot begin: network, recipe and images do not fit together.
    """
    return whole(estimating(train, classifier, data, seed))


def estimating(train: Train, classifier: Classifier, data: DataSet, seed: int = 0) -> Bits[Estimate]:
    """Estimate like `estimate`, step by step, for callers that show progress or may stop: closing the generator ends it."""
    alone = train.model_copy(update={"checkpoint": None})
    with start(alone, classifier, data=data, seed=seed) as run:
        fit = alone.beginning(run.problem)
        kinds, passes = _kinds(fit), _short(fit).passes
        each = STEPS // len(kinds)
        taken: list[float] = []
        for work in (*(_batches(fit, epoch, each) for epoch in kinds), _measuring(fit)):
            for seconds in _timed(work, fit.device):
                taken.append(seconds)
                yield len(taken), each * len(kinds) + passes
    batches = [median(taken[place * each + int(WARM_UP * each) : (place + 1) * each]) for place in range(len(kinds))]
    step = sum(count * seconds for count, seconds in zip(kinds.values(), batches, strict=True)) / train.epochs
    steps = train.epochs * fit.batches
    return Estimate(step, steps, steps * step + train.epochs * _measured(fit, taken[each * len(kinds) :]))


def _kinds(fit: Fit) -> dict[int, int]:
    """Return the first epoch of each kind, with the recipe's attacks and without, and the number of epochs of that kind."""
    epochs: dict[tuple[Objective, ...], list[int]] = {}
    for epoch in range(fit.schedule.epochs):
        epochs.setdefault(fit.phases.active(fit.recipe, epoch, fit.schedule.epochs), []).append(epoch)
    return {same[0]: len(same) for same in epochs.values()}


def _batches(fit: Fit, epoch: int, steps: int) -> Iterator[object]:
    """Train on ``steps`` batches like those of ``epoch``."""
    while steps > 0:
        fit.epoch, fit.order, fit.done = epoch, torch.randperm(len(fit.training), generator=fit.generator), []
        yield from islice(fit.batch_steps(), steps)
        steps -= len(fit.done)


def _short(fit: Fit) -> Measurement:
    """Return a measurement with at most two passes over clean images, and with a short attack on them."""
    quick = None if fit.quick is None else replace(fit.quick, steps=_ATTACK_STEPS)
    images, targets = fit.held_out.images[:ATTACKED], fit.held_out.targets[:ATTACKED]
    return Measurement(images, targets, quick, fit.sites, fit.share)


def _measuring(fit: Fit) -> Iterator[object]:
    return islice(fit.measuring(short := _short(fit)), short.passes)


def _measured(fit: Fit, taken: list[float]) -> float:
    """Return the seconds of an epoch's whole measurement, given those of each pass of the short one."""
    if not taken:
        return 0.0
    count, quick = len(fit.held_out), fit.quick
    clean = math.ceil(min(count, ATTACKED) / ROWS)
    attack = taken[clean:]
    ends = attack[_ATTACK_STEPS :: _ATTACK_STEPS + 1]
    moves = (sum(attack) - sum(ends)) / _ATTACK_STEPS * (quick.steps if quick is not None else 0)
    return median(taken[:clean]) * math.ceil(count / ROWS) + moves + sum(ends)


def _timed(work: Iterator[object], device: torch.device) -> Iterator[float]:
    """Yield the seconds of each step of ``work``, with what the device did for it."""
    began = time.perf_counter()
    for _ in work:
        if device.type != "cpu":
            torch.accelerator.synchronize(device)
        yield time.perf_counter() - began
        began = time.perf_counter()
