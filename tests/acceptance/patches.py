"""Optimised stickers: targets reached on both signs networks, and what is left of them under distortions they were not trained on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

import engine
from engine import attacks
from engine.attacks.adversarial_patch.learning import Placing
from engine.attacks.adversarial_patch.region import Region
from engine.data import DataSet
from engine.images import distortions
from engine.intervals import Share
from engine.randomness import RowRandom, generator
from engine.stickers.transforms import draw, photographed
from tests.acceptance.attacks import every_63rd
from tests.acceptance.figures import Figure, at_least

NETWORKS = ("signs", "signs-bounded")
HELD_OUT = 40
"""Number of images of the figures under distortions, since each is looked at thousands of times."""
MOVES = 10
"""Number of fresh moves of each image, drawn from the ranges of training."""


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


def held_out(root: str | None, networks: Sequence[str] = NETWORKS, aims: Sequence[str] = ("untargeted", "targeted")) -> Iterator[Figure]:
    """Share of the successes of 8 x 8 stickers that is left under each distortion, where the image stands still and where it is moved."""
    data = engine.data.load("gtsrb", "test", root=root)
    for name in networks:
        classifier = engine.models.load(name)
        images, labels = every_63rd(classifier, data, 200)
        images, labels = images[:: 200 // HELD_OUT], labels[:: 200 // HELD_OUT]
        for aim in aims:
            yield from _left(classifier, images, labels, None if aim == "untargeted" else other_classes(labels, 43), f"{name}, {aim}")


def _left(classifier: engine.Classifier, images: Tensor, labels: Tensor, targets: Tensor | None, title: str) -> Iterator[Figure]:
    """What is left of the stickers with and without transformations in training, and what these are worth."""
    trained = {
        "EOT": attacks.AdversarialPatch(steps=60, samples=8, fresh=0),
        "plain": attacks.StickerPGD(steps=60, step_size=0.05),
    }
    drawn = draw(attacks.AdversarialPatch().ranges, RowRandom(9, range(len(images))), MOVES, (3, 32, 32))
    left: dict[tuple[str, str], Share] = {}
    for how, attack in trained.items():
        result = engine.run(attack, classifier, images, labels=labels, targets=targets, mask=centred(8), seed=0)
        views = {"still": result.adversarial, "moved": photographed(result.adversarial.repeat(MOVES, 1, 1, 1), drawn)}
        for view, shown in views.items():
            times = len(shown) // len(images)
            successful = result.success.repeat(times)
            for distortion, apply in DISTORTIONS.items():
                seen = classifier.predict(apply(shown))
                hits = seen != labels.repeat(times) if targets is None else seen == targets.repeat(times)
                share = Share(int((hits & successful).sum()), int(successful.sum()))
                total = left.get((view, how), Share(0, 0))
                left[view, how] = Share(total.hits + share.hits, total.of + share.of)
                yield Figure(f"{title}, {how}, {view}: left under {distortion}", share.text())
    for view in ("still", "moved"):
        robust, plain = (100 * left[view, how].hits / max(1, left[view, how].of) for how in ("EOT", "plain"))
        yield at_least(f"{title}, EOT, {view}: left under all five, {left[view, 'EOT'].text()}", robust, 60, " %")
        yield Figure(f"{title}, plain, {view}: left under all five", left[view, "plain"].text())
        yield at_least(f"{title}, {view}: points that training under transformations is worth", robust - plain, 15)


PHOTOGRAPHS, DRAWS = 8, 10
"""Number of photographs held out, and of places for each."""
TARGETS = (806, 954, 487)
"""Three of ImageNet-Patch's ten targets: sock, banana and cellular telephone."""


def photographs(folder: str | None, steps: int = 250, batch_size: int = 4) -> Iterator[Figure]:
    """Patches of 50 x 50 for SqueezeNet, learned on half of the photographs: target rate on the others, in the middle and moved."""
    if folder is None:
        return
    classifier = engine.models.load(f"{folder}/squeezenet1_0.pth", architecture="torchvision:squeezenet1_0")
    files = sorted((Path(folder) / "images").iterdir())
    images = torch.stack([engine.images.read(file, classifier) for file in files])
    pixels, numbers = (images * 255).round().to(torch.uint8), torch.arange(len(files))
    data = DataSet("photographs", tuple(file.stem for file in files), pixels, numbers, "ImageNet")
    mask = torch.zeros(1, 1, 224, 224)
    mask[..., 87:137, 87:137] = 1
    preset = attacks.UniversalPatch.preset("ImageNet-Patch")
    for target in TARGETS:
        attack = attacks.UniversalPatch(
            **preset.values, brightness=0.05, contrast=0.1, steps=steps, batch_size=batch_size, count=9, held_out=PHOTOGRAPHS, scales=0
        )
        goal = torch.tensor([target])
        result = engine.run(
            attack, classifier, images[:1], labels=classifier.predict(images[:1]), targets=goal, mask=mask, data=data, seed=0
        )
        order = torch.randperm(len(data), generator=RowRandom(0, [0]).shared("patch", "data"))
        held = images[order[9 : 9 + PHOTOGRAPHS]]
        held = held[classifier.predict(held) != target]
        content = result.artifacts["content"].pixels
        upright = classifier.predict((1 - mask) * held + mask * content) == target
        share = Share(int(upright.sum()), len(held))
        yield at_least(f"50x50 patch for class {target}, upright in the middle: {share.text()}", 100 * share.hits / share.of, 39, " %")
        region = Region.of(mask)
        moving = Placing(region, replace(attack.ranges, brightness=0.0, contrast=0.0), anywhere=False, random=generator(1, "held out"))
        hits = 0
        for _ in range(DRAWS):
            seen = moving.apply(held, region.cut(content), *moving.draw(len(held), (3, 224, 224)))
            hits += int((classifier.predict(seen) == target).sum())
        share = Share(hits, DRAWS * len(held))
        what = f"the same under shifts 0.2, rotation 45, scale 0.5 to 1: {share.text()}"
        yield at_least(what, 100 * share.hits / share.of, 11, " %")


def figures(root: str | None) -> Iterator[Figure]:
    """All of the above."""
    yield from targeted(root)
    yield from held_out(root)
    yield from photographs(os.environ.get("GIBBON_IMAGENET"))
