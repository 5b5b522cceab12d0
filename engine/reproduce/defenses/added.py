"""Adversarial images of another network, appended to the training images once: static adversarial training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from engine.balls import normalised
from engine.classifier import Classifier
from engine.data import DataSet
from engine.defenses.objectives.crafting import divergence
from engine.operation import Problem
from engine.randomness import generator
from engine.reproduce.defenses.judging import logits_of, signs_of
from engine.reproduce.defenses.stages import Stage

_AT_A_TIME = 1000
"""Images that are made for training before they are rounded together."""
_TOGETHER = 25
"""Images whose direction is searched together; fewer in a step would take twice as long for each."""
_ROUNDS = 5
_XI = 1e-2
"""Length of the finite difference; the paper's 1e-6 is below what float32 resolves."""


@dataclass(frozen=True)
class Added:
    """Adversarial images that were made on ``source`` before the training, one for each training image."""

    attack: Literal["fgsm", "vat"]
    """fgsm: one step in L∞, away from the prediction. vat: the direction in which the prediction changes most, of length eps in L2."""
    eps: float
    source: Classifier

    @property
    def work(self) -> float:
        """Rough share of the making of the images in the time of the whole training, three epochs long."""
        return 0.13 if self.attack == "fgsm" else 0.48

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that decides the images, but the clean ones."""
        return {"attack": self.attack, "eps": self.eps, "source": self.source.fingerprint}


def appended(problem: Problem, data: DataSet, added: Added) -> Stage[DataSet]:
    """Return the images with one adversarial image each behind them, rounded to 8 bits, under the true classes."""
    parts = []
    for first in range(0, len(data), _AT_A_TIME):
        images, _ = data.batch(slice(first, first + _AT_A_TIME))
        stage = _fgsm(problem, added, images) if added.attack == "fgsm" else _virtual(problem, added, images, first)
        while True:
            try:
                share, news = next(stage)
            except StopIteration as end:
                parts.append((end.value.clamp(0, 1) * 255).round().to(torch.uint8))
                break
            yield (first + min(share, 1.0) * len(images)) / len(data), f"images to train on: {news}"
    images_of_both, targets = torch.cat([data.images, *parts]), data.targets.repeat(2)
    return replace(data, images=images_of_both, targets=targets, places=(), name=f"{data.name} and {added.attack}")


def _fgsm(problem: Problem, added: Added, images: Tensor) -> Stage[Tensor]:
    logits = yield from logits_of(problem, added.source, images, "training images")
    signs = yield from signs_of(problem, added.source, images, logits.argmax(1))
    return images + added.eps * signs


def _virtual(problem: Problem, added: Added, images: Tensor, first: int) -> Stage[Tensor]:
    random = generator(problem.random.seed, "virtual adversarial images", first)
    parts = []
    for place in range(0, len(images), _TOGETHER):
        some = images[place : place + _TOGETHER]
        direction = torch.randn(some.shape, generator=random)
        parts.append(some + added.eps * virtual_direction(added.source, some, direction).cpu())
        problem.classifier.forwards += (1 + _ROUNDS) * len(some)
        problem.classifier.backwards += _ROUNDS * len(some)
        yield (place + _TOGETHER) / len(images), f"virtual adversarial images of “{added.source.name}”"
    return torch.cat(parts)


@torch.enable_grad()
def virtual_direction(classifier: Classifier, images: Tensor, direction: Tensor, rounds: int = _ROUNDS, xi: float = _XI) -> Tensor:
    """Return the unit vectors in which ``KL(p(x) || p(x + d))`` grows fastest, ``(N, C, H, W)``, by the power iteration from ``direction``.

    ``d <- grad_d KL(p(x) || p(x + xi * d)) / ||.||_2``, ``rounds`` times (Miyato et al. 2017, arXiv 1704.03976).
    """
    images = images.to(classifier.device, classifier.dtype)
    direction = normalised(direction.to(images))
    wanted = classifier.score(images)
    for _ in range(rounds):
        moved = (images + xi * direction).requires_grad_()
        (gradient,) = torch.autograd.grad(divergence(wanted, classifier(moved)).sum(), moved)
        direction = normalised(gradient)
    return direction
