"""Optimised stickers: targets reached on both signs networks, and what is left of them under distortions they were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

import engine
from engine import attacks
from engine.images import distortions
from engine.intervals import Share
from engine.randomness import generator
from tests.acceptance.attacks import every_63rd
from tests.acceptance.figures import Figure, at_least

NETWORKS = ("signs", "signs-bounded")
HELD_OUT = 40
"""Number of images of the figures under distortions, since each is looked at thousands of times."""


def centred(side: int) -> Tensor:
    """The mask ``(32, 32)`` of a square sticker in the middle of a sign."""
    mask, first = torch.zeros(32, 32), 16 - side // 2
    mask[first : first + side, first : first + side] = 1
    return mask


def other_classes(labels: Tensor, classes: int, seed: int = 0) -> Tensor:
    """A target for each label, uniform over the other classes."""
    drawn = torch.randint(classes - 1, labels.shape, generator=torch.Generator().manual_seed(seed))
    return drawn + (drawn >= labels)


def targeted(root: str | None) -> Iterator[Figure]:
    """Stickers of 8 x 8, 100 steps, towards one of the 42 other classes, on 200 signs that the network gets right."""
    data = engine.data.load("gtsrb", "test", root=root)
    for name in NETWORKS:
        classifier = engine.models.load(name)
        images, labels = every_63rd(classifier, data)
        targets = other_classes(labels, 43)
        for step_size in (0.1, 0.05):
            attack = attacks.StickerPGD(steps=100, step_size=step_size)
            result = engine.run(attack, classifier, images, labels=labels, targets=targets, mask=centred(8), seed=0)
            share = Share(int(result.success.sum()), len(labels))
            yield at_least(
                f"8x8 sticker on {name}, steps of {step_size:g}: target reached, {share.text()}", 100 * share.hits / share.of, 85, " %"
            )


def _grain(images: Tensor) -> Tensor:
    normal = torch.randn(images.shape, generator=generator(0, "held out")).to(images)
    return distortions.noise(images, 0.05, normal)


DISTORTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "JPEG 50": lambda images: distortions.jpeg(images, 50),
    "blur 1": lambda images: distortions.blur(images, 1.0),
    "noise 0.05": _grain,
    "gamma 0.7": lambda images: distortions.gamma(images, 0.7),
    "gamma 1.4": lambda images: distortions.gamma(images, 1.4),
}
"""Distortions that a sticker under geometry, brightness and contrast has not met."""


def held_out(root: str | None) -> Iterator[Figure]:
    """Share of the successes of 8 x 8 stickers that is left under each distortion, with and without transformations in training."""
    data = engine.data.load("gtsrb", "test", root=root)
    for name in NETWORKS:
        classifier = engine.models.load(name)
        images, labels = every_63rd(classifier, data, 200)
        images, labels = images[:: 200 // HELD_OUT], labels[:: 200 // HELD_OUT]
        for aim, targets in (("untargeted", None), ("targeted", other_classes(labels, 43))):
            left = {}
            for trained, attack in (
                ("EOT", attacks.AdversarialPatch(steps=60, samples=8, fresh=0)),
                ("plain", attacks.StickerPGD(steps=60, step_size=0.05)),
            ):
                result = engine.run(attack, classifier, images, labels=labels, targets=targets, mask=centred(8), seed=0)
                kept = Share(0, 0)
                for distortion, apply in DISTORTIONS.items():
                    seen = classifier.predict(apply(result.adversarial))
                    hits = seen != labels if targets is None else seen == targets
                    share = Share(int((hits & result.success).sum()), int(result.success.sum()))
                    kept = Share(kept.hits + share.hits, kept.of + share.of)
                    yield Figure(f"{name}, {aim}, {trained}: left of {share.of} successes under {distortion}", share.text())
                left[trained] = 100 * kept.hits / max(1, kept.of)
                what = f"{name}, {aim}, {trained}: left under all five, {kept.text()}"
                yield at_least(what, left[trained], 60, " %") if trained == "EOT" else Figure(what, left[trained])
            yield at_least(f"{name}, {aim}: points that training under transformations is worth", left["EOT"] - left["plain"], 15)


def figures(root: str | None) -> Iterator[Figure]:
    """All of the above."""
    yield from targeted(root)
    yield from held_out(root)
