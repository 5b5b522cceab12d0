"""A training in a process of its own, for the tests that kill it or start several.

``training_process.py OUT CHECKPOINT [RANK SIZE STORE]``: a line is printed after every step.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import distributed, nn

import engine
from engine.data import DataSet
from engine.defenses import Train

RECIPE = "gaussian sigma=0.1 + pgd eps=0.1 steps=2 share=0.5 + label-smoothing"


def classifier() -> engine.Classifier:
    """Return a small network without batch normalisation, the same each time."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    return engine.Classifier(network, ["left", "right"], (1, 8, 8), [0.5], [0.25], device="cpu")


def images(count: int = 240) -> DataSet:
    """Return noisy images that are brighter on the left or on the right."""
    draw = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 90, (count, 1, 8, 8), generator=draw, dtype=torch.uint8)
    targets = torch.arange(count) % 2
    for image, target in zip(pixels, targets.tolist(), strict=True):
        image[..., 4 * target : 4 * target + 4] += 60
    return DataSet("halves", ("left", "right"), pixels, targets, "made up")


def train(checkpoint: Path | None, epochs: int = 4) -> Train:
    """Return the training, with a measurement after each epoch."""
    return Train.build(recipe=RECIPE, epochs=epochs, batch_size=16, checkpoint=checkpoint, held_out=24, augment="strokes")


def main(out: Path, checkpoint: str, rank: int = 0, size: int = 1, store: str = "") -> None:
    """Train, and write the weights."""
    torch.set_num_threads(1)
    if size > 1:
        distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=size)
    run = engine.start(train(Path(checkpoint) if checkpoint else None), classifier(), data=images(), seed=0)
    for step in run:
        print(step.index, flush=True)
    model = run.result().artifacts["model"]
    lines = {f"history.{name}": line.float() for name, line in model.history.lines.items()}
    save_file({**model.module.state_dict(), **lines}, out)
    if size > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]), given[1], *(int(word) for word in given[2:4]), *given[4:])  # type: ignore[arg-type]
