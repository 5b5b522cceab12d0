"""Training beside a bare torch loop with the same passes: ``python -m tests.benchmarks.training`` prints a table.

Both train the same network on the same batches with the same optimiser, interleaved in one process, for one thread and for two. The bare
loop does only what the recipe needs: gather, normalise, forward, backward, step, and the attack's own passes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

import engine
from engine.data import DataSet
from engine.defenses import Train
from engine.models import ARCHITECTURES

BATCH = 128
REPEATS = 9
CASES = (
    ("digits", "standard", 0, 30),
    ("signs", "standard", 0, 12),
    ("digits", "pgd eps=8/255 steps=7 ramp=0 random_start=no", 7, 8),
    ("signs", "pgd eps=8/255 steps=7 ramp=0 random_start=no", 7, 3),
)
"""Network, recipe, steps of its attack, and batches in an epoch: enough that an epoch takes a second, and the setup does not count."""


def images(shape: tuple[int, int, int], classes: int, batches: int) -> DataSet:
    """Return random images: the time of a pass does not depend on them."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (BATCH * batches, *shape), generator=draw, dtype=torch.uint8)
    return DataSet("random", tuple(map(str, range(classes))), pixels, torch.arange(len(pixels)) % classes, "random")


def bare(network: nn.Module, data: DataSet, mean: Tensor, std: Tensor, attack: int) -> None:
    """Train one epoch as a script would, with ``attack`` steps of PGD for each batch."""
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, betas=(0.9, 0.99), weight_decay=0.02)
    order = torch.randperm(len(data))
    for first in range(0, len(data), BATCH):
        rows = order[first : first + BATCH]
        x, y = data.images[rows].float().div_(255), data.targets[rows]
        if attack:
            network.eval()
            delta = torch.zeros_like(x)
            for _ in range(attack):
                moved = (x + delta).requires_grad_()
                loss = functional.cross_entropy(network(_input(moved, mean, std)), y, reduction="sum")
                (gradient,) = torch.autograd.grad(loss, moved)
                delta = (x + (delta + 0.01 * gradient.sign()).clamp(-0.03, 0.03)).clamp(0, 1) - x
            network.train()
            x = (x + delta).detach()
        optimiser.zero_grad()
        functional.cross_entropy(network(_input(x, mean, std)), y).backward()
        optimiser.step()


def _input(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def cases(name: str, recipe: str, attack: int, batches: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return our epoch and the bare one, each as a function without arguments."""
    architecture = ARCHITECTURES[name]
    data = images(architecture.input_shape, len(architecture.labels), batches)
    classifier = architecture.untrained(device="cpu", labels=data.labels)
    train = Train.build(recipe=recipe, epochs=1, batch_size=BATCH, augment="none", held_out=0, fresh=False, activation="keep")
    network = architecture.build().to(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (architecture.mean, architecture.std))
    return lambda: engine.run(train, classifier, data=data, seed=0), lambda: bare(network, data, mean, std, attack)


def seconds(work: Callable[[], object], threads: int) -> float:
    """Return the duration of one call: with one thread that of this process, which other programs do not change."""
    clock = time.process_time if threads == 1 else time.perf_counter
    began = clock()
    work()
    return clock() - began


def main() -> None:
    """Print the ratios, each the median of interleaved pairs."""
    print("network  recipe              threads  ours (s)  bare (s)  ratio   limit")
    for name, recipe, attack, batches in CASES:
        ours, theirs = cases(name, recipe, attack, batches)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            seconds(ours, threads), seconds(theirs, threads)  # both warm
            pairs = [(seconds(ours, threads), seconds(theirs, threads)) for _ in range(REPEATS)]
            ratio = statistics.median(one / other for one, other in pairs)
            mine, bares = (statistics.median(column) for column in zip(*pairs, strict=True))
            verdict = "pass" if ratio <= 1.1 else "FAIL"
            print(f"{name:8} {recipe.split(' ')[0]:19} {threads:7}  {mine:8.3f}  {bares:8.3f}  {ratio:5.2f}   <= 1.1 {verdict}", flush=True)


if __name__ == "__main__":
    main()
