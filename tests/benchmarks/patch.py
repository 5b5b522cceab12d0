"""Steps per second of patches under 32 transformations beside ART's: ``python -m tests.benchmarks.patch``.

One process, interleaved rounds, one thread; seconds are those of the processor, so that other programs on the machine count for nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

import engine
from engine import attacks
from tests.benchmarks.libraries import Counting, Task, art_classifier, quietly

TRANSFORMATIONS, SIDE = 32, 8
ROTATION, SMALLEST, LARGEST = 22.5, 0.5, 1.5
SAME = {
    "smallest": SMALLEST,
    "largest": LARGEST,
    "rotation": ROTATION,
    "perspective": 0.0,
    "shift": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
}
"""The transformations that ART's patch knows: scale, rotation and place."""


def setting() -> tuple[engine.Classifier, engine.data.DataSet, Tensor]:
    """The shipped signs, drawn images for it, and a mask in the middle."""
    classifier, mask = engine.models.load("signs", device="cpu"), torch.zeros(1, 1, 32, 32)
    mask[..., 12:20, 12:20] = 1
    return classifier, engine.data.load("generated:signs", count=86, seed=0), mask


def ours(steps: int, many: bool) -> Callable[[], float]:
    """Seconds of our steps alone: on many images, one transformation each, or on one image with all of them."""
    classifier, data, mask = setting()
    target, image = torch.tensor([13]), data.batch([0])[0]
    if many:
        attack: attacks.UniversalPatch | attacks.AdversarialPatch = attacks.UniversalPatch(
            **SAME, steps=steps, batch_size=TRANSFORMATIONS, count=64, held_out=16, scales=0
        )
    else:
        attack = attacks.AdversarialPatch(**SAME, steps=steps, samples=TRANSFORMATIONS - 1, optimizer="adam", fresh=0)

    def seconds() -> float:
        given = {"data": data} if many else {}
        with engine.start(attack, classifier, image, labels=torch.tensor([0]), targets=target, mask=mask, **given) as run:
            for step in run:  # predicting the clean images is no step of the optimisation
                if step.total is not None:
                    break
            started = time.process_time()
            made = sum(1 for _ in run)
            return (time.process_time() - started) * steps / made

    return seconds


def arts(steps: int) -> Callable[[], float]:
    """Seconds of ART's steps, each on 32 images with a transformation each."""
    from art.attacks.evasion import AdversarialPatchPyTorch

    classifier, data, _ = setting()
    images = data.batch(range(TRANSFORMATIONS))[0]
    wrapped = art_classifier(Task(classifier, images, images[:, 0, 0, 0].long()), Counting(classifier))
    goal = torch.nn.functional.one_hot(torch.full((TRANSFORMATIONS,), 13), 43).float().numpy()

    def seconds() -> float:
        attack = AdversarialPatchPyTorch(
            wrapped,
            rotation_max=ROTATION,
            scale_min=SMALLEST * SIDE / 32,
            scale_max=LARGEST * SIDE / 32,
            learning_rate=0.05,
            max_iter=steps,
            batch_size=TRANSFORMATIONS,
            patch_shape=(3, 32, 32),
            patch_type="square",
            optimizer="Adam",
            targeted=True,
            verbose=False,
        )
        started = time.process_time()
        quietly(lambda: attack.generate(images.numpy(), goal))
        return time.process_time() - started

    return seconds


def bare(steps: int) -> Callable[[], float]:
    """Seconds of the passes alone: 32 rows forwards and backwards, which no attack can do without."""
    classifier, data, _ = setting()
    images = data.batch(range(TRANSFORMATIONS))[0]

    def seconds() -> float:
        started = time.process_time()
        for _ in range(steps):
            watched = images.clone().requires_grad_()
            torch.autograd.grad(classifier(watched).sum(), watched)
        return time.process_time() - started

    return seconds


def main() -> None:
    """Print medians of interleaved rounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.patch", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    torch.set_num_threads(1)
    runners = {
        "ART": arts(given.steps),
        "many images": ours(given.steps, many=True),
        "one image": ours(given.steps, many=False),
        "passes": bare(given.steps),
    }
    for run in runners.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(given.rounds):
        for name, run in runners.items():
            times[name].append(run())
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, value in median.items():
        ratio = statistics.median(art / mine for art, mine in zip(times["ART"], times[name], strict=True))
        print(f"{name:12} {given.steps / value:8.1f} steps/s   {ratio:6.2f} x ART   (asked: 10 x)")


if __name__ == "__main__":
    main()
