"""Measurement of a network in training on images that it is not trained on: clean, under a quick attack, and its activations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from engine.defenses.objectives import Trainee
from engine.defenses.training.history import Epoch
from engine.defenses.training.sharing import Share
from engine.sites import Site, SiteMode
from engine.text.formatting import format_number

ROWS = 128
"""Rows of one pass: a step of the measurement."""
ATTACKED = 256
"""Images, at most, that the quick attack changes."""


@dataclass(frozen=True)
class QuickAttack:
    """PGD in an L∞ ball from the image itself, without randomness: quick, and no proof of robustness."""

    eps: float
    steps: int = 10

    @property
    def words(self) -> str:
        """The attack with its budget, for legends: ``PGD-10 at L∞ 8/255``."""
        return f"PGD-{self.steps} at L∞ {format_number(self.eps)}"


def measured_facts(epoch: Epoch | None, attack: QuickAttack | None, images: int) -> dict[str, Any]:
    """Return what a card says of an epoch's measurement on ``images`` held-out images: nothing where it was not measured."""
    if epoch is None or epoch.clean is None:
        return {}
    facts: dict[str, Any] = {"epoch": epoch.epoch, "images": images, "clean": epoch.clean}
    if attack is not None and epoch.attacked is not None:
        facts |= {"attacked": epoch.attacked, "attack": attack.words, "attacked_images": min(images, ATTACKED)}
    return {"held_out": facts}


class Measurement:
    """A measurement that is made in steps: iterate over `steps`, then read `clean`, `attacked` and `maxima`."""

    def __init__(self, images: Tensor, targets: Tensor, attack: QuickAttack | None, sites: Sequence[Site], share: Share) -> None:
        self._images, self._targets, self._attack = images, targets, attack
        self._sites, self._share = sites, share
        self.clean: float | None = None
        self.attacked: float | None = None
        self.maxima: dict[str, float] = {}

    @property
    def passes(self) -> int:
        """The number of steps: the same in every process."""
        if not len(self._images):
            return 0
        chunks = math.ceil(len(self._images) / ROWS)
        attacked = math.ceil(min(len(self._images), ATTACKED) / ROWS)
        return chunks + (attacked * (self._attack.steps + 1) if self._attack is not None else 0)

    @torch.enable_grad()
    def steps(self, trainee: Trainee) -> Iterator[None]:
        """Measure; one forward or backward pass between two yields. The network must be in evaluation mode."""
        right: list[Tensor] = []
        held: list[Tensor] = []
        largest: list[Tensor] = []
        for first in range(0, len(self._images), ROWS):
            images, targets = self._rows(first, len(self._images), trainee)
            with torch.no_grad():
                logits, maxima = self._with_maxima(trainee, images)
            right.append((logits.argmax(1) == targets).sum())
            largest += [maxima] if self._sites else []
            yield
        count = min(len(self._images), ATTACKED)
        for first in range(0, count if self._attack is not None else 0, ROWS):
            assert self._attack is not None
            images, targets = self._rows(first, count, trainee)
            adversarial = images
            for _ in range(self._attack.steps):
                adversarial = _stepped(adversarial, images, targets, trainee, self._attack)
                yield
            with torch.no_grad():
                held.append((trainee.logits(adversarial).argmax(1) == targets).sum())
            yield
        self._read(right, held, largest, count)

    def _rows(self, first: int, end: int, trainee: Trainee) -> tuple[Tensor, Tensor]:
        """Return this process's rows of a chunk, in [0, 1] and on the network's device."""
        chunk = slice(first, min(first + ROWS, end))
        own = self._share.rows(chunk.stop - chunk.start)
        device = next(trainee.network.parameters()).device
        images, targets = self._images[chunk][own], self._targets[chunk][own]
        return images.to(device).float().div_(255.0), targets.to(device)

    def _read(self, right: list[Tensor], held: list[Tensor], largest: list[Tensor], count: int) -> None:
        if right:
            sums = torch.stack([torch.stack(right).sum(), torch.stack(held).sum() if held else torch.zeros_like(right[0])])
            self._share.summed([sums])
            whole, under = sums.tolist()
            self.clean = whole / len(self._images)
            self.attacked = under / count if held else None
        if largest:
            values = self._share.largest(torch.stack(largest).amax(0)).tolist()
            self.maxima = {site.name: value for site, value in zip(self._sites, values, strict=True)}

    def _with_maxima(self, trainee: Trainee, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits, and the largest activation at every site ``(sites,)``."""
        with SiteMode({}, {}, range(len(self._sites))) as mode:
            logits = trainee.logits(images)
        lowest = torch.full((), -torch.inf, device=logits.device)  # a process may have no rows of the last chunk
        found = [mode.recorded[index] for index in range(len(self._sites))]
        return logits, torch.stack([each.amax() if each.numel() else lowest for each in found]) if found else lowest


def _stepped(adversarial: Tensor, images: Tensor, targets: Tensor, trainee: Trainee, attack: QuickAttack) -> Tensor:
    loss = lambda logits: functional.cross_entropy(logits, targets, reduction="none")  # noqa: E731
    gradient = trainee.gradient(adversarial, loss)
    moved = adversarial + 2.5 * attack.eps / attack.steps * gradient.sign()
    return (images + (moved - images).clamp(-attack.eps, attack.eps)).clamp(0.0, 1.0)
