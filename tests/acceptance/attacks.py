"""Strength: the stop sign, the 6x6 sticker, the bound, and parity with the libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

import engine
from engine import attacks
from tests.acceptance.figures import Figure, at_least

SAMPLE = Path(__file__).parents[2] / "resources" / "samples" / "sign-stop-32.png"


def stop_sign() -> Iterator[Figure]:
    """PGD on the shipped stop sign, twice."""
    classifier = engine.models.load("signs")
    image = engine.images.read(SAMPLE, classifier)
    stop = classifier.labels.index("Stop")
    p = classifier(image[None].to(classifier.device)).softmax(1)[0, stop]
    yield at_least("stop sign: probability of Stop", 100 * float(p), 99, " %")
    results = [engine.run(attacks.PGD(eps=8 / 255, steps=40), classifier, image[None], seed=0) for _ in range(2)]
    same = torch.equal(results[0].adversarial, results[1].adversarial)
    label = classifier.labels[int(results[0].prediction[0])]
    yield Figure("stop sign: PGD 8/255, 40 steps", label, "flips, twice with the same bits", bool(results[0].success[0]) and same)


def every_63rd(classifier: engine.Classifier, data: engine.data.DataSet, count: int = 200) -> tuple[Tensor, Tensor]:
    """Every 63rd image, or the next that the classifier gets right."""
    images, labels = data.batch(range(len(data)))
    right = classifier.predict(images).cpu() == labels
    rows = [next(i for i in range(place, len(data)) if bool(right[i])) for place in range(0, 63 * count, 63)]
    return images[rows], labels[rows]


def stickers(root: str | None) -> Iterator[Figure]:
    """A 6x6 sticker in rows and columns 13 to 18: grey start, 40 sign steps of 0.1, best so far, untargeted."""
    data = engine.data.load("gtsrb", "test", root=root)
    mask = torch.zeros(32, 32)
    mask[13:19, 13:19] = 1
    for name in ("signs", "signs-bounded", "signs-bounded-leaky"):
        classifier = engine.models.load(name)
        images, labels = every_63rd(classifier, data)
        flipped = flip_rate(classifier, images, labels, mask)
        if name == "signs":
            yield at_least(f"6x6 sticker on {name}: flips of 200", flipped, 95, " %")
        else:
            yield Figure(f"6x6 sticker on {name}: flips of 200 (%)", flipped)


def flip_rate(classifier: engine.Classifier, images: Tensor, labels: Tensor, mask: Tensor) -> float:
    """Percent of images whose label the sticker changes."""
    attack = attacks.StickerPGD(steps=40, step_size=0.1, begin="grey")
    result = engine.run(attack, classifier, images, labels=labels, mask=mask)
    return 100 * float(result.success.float().mean())


def bounds(root: str | None) -> Iterator[Figure]:
    """What clamping every rectifier costs, and what it undoes of targeted 8x8 stickers (rows and columns 12 to 19)."""
    classifier = engine.models.load("signs")
    data = engine.data.load("gtsrb", "test", root=root)
    images, labels = every_63rd(classifier, data)
    targets = (labels + 1 + torch.arange(len(labels)) % 42) % 43
    mask = torch.zeros(32, 32)
    mask[12:20, 12:20] = 1
    attack = attacks.StickerPGD(steps=40, step_size=0.1)
    result = engine.run(attack, classifier, images, labels=labels, targets=targets, mask=mask)
    hit = result.success
    yield Figure("targeted 8x8 stickers that reach their target, of 200 (%)", 100 * float(hit.float().mean()))
    everything = data.batch(range(len(data)))
    plain = 100 * float((classifier.predict(everything[0]).cpu() == everything[1]).float().mean())
    for value in (4.0, 2.0, 1.0):
        bounded = classifier.derive(bounds={site.name: value for site in classifier.sites})
        accuracy = 100 * float((bounded.predict(everything[0]).cpu() == everything[1]).float().mean())
        now = bounded.predict(result.adversarial)[hit]
        yield Figure(f"all layers clamped at {value:g}: points of clean accuracy lost", plain - accuracy)
        yield Figure("  stickers broken (target left, %)", 100 * float((now != result.targets[hit]).float().mean()))
        yield Figure("  label restored (%)", 100 * float((now == result.labels[hit]).float().mean()))


def parity(root: str | None) -> Iterator[Figure]:
    """PGD against torchattacks and Foolbox on 1,000 MNIST test images."""
    from tests.parity.test_pgd import EPS, LIBRARIES, compared

    digits = engine.models.load("digits", device="cpu")
    x, y = engine.data.load("mnist", "test", root=root).batch(range(1000))
    for library in LIBRARIES:
        for eps in EPS:
            found = compared(digits, x, y, eps, False, library)
            yield at_least(f"PGD eps {eps:g} against {library}: equal verdicts", found["agreement"], 99.5, " %")
            yield at_least(f"  median final loss, theirs {found['their_loss']:.4f}", found["our_loss"], found["their_loss"] * (1 - 1e-6))
            found = compared(digits, x, y, eps, True, library)
            yield Figure(
                f"  success with random start, theirs {found['theirs']:.1f} %",
                found["ours"],
                "within 2 points",
                abs(found["ours"] - found["theirs"]) <= 2,
            )
