"""Training of the toy detector on drawn scenes, from a seed, with its state kept after every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.data.generated.boxed_scenes import SCENE_LABELS
from engine.files import replacing
from engine.object_detection.pictures import drawn_pictures
from engine.object_detection.toy.network import GridNetwork
from engine.randomness import generator


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, beside the versions of torch and the processor."""

    seed: int = 0
    scenes: int = 4000
    """Number of scenes that are drawn for training: scenes 0 to ``scenes - 1`` of ``seed``."""
    epochs: int = 24
    batch_size: int = 32
    learning_rate: float = 3e-3
    """The largest learning rate of Adam, which rises over the first epoch and falls as a cosine to 0."""

    def rate(self, done: float) -> float:
        """Return the learning rate after a share ``done`` of the training."""
        return self.learning_rate * min(1.0, done * self.epochs + 0.05) * 0.5 * (1.0 + math.cos(math.pi * done))


@dataclass(frozen=True)
class Progress:
    """The mean loss of an epoch of training that has ended, and how many there are."""

    epoch: int
    epochs: int
    loss: float
    """Mean loss of an image over the epoch."""


@torch.enable_grad()
def train(network: GridNetwork, recipe: Recipe, state: Path | None = None) -> Iterator[Progress]:
    """Train ``network`` in place, an epoch at a time. With ``state``, a training that was interrupted is resumed from that file.

    Parameters
    ----------
    network
        A network that is not trained yet; `untrained` makes one.
    recipe
        Its numbers.
    state
        A file that holds weights and optimiser after every epoch.
    """
    drawn = drawn_pictures(recipe.scenes, recipe.seed)
    images, truths = drawn.batch(), drawn.truths or ()
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    begun = _resumed(network, optimiser, state)
    batches = math.ceil(recipe.scenes / recipe.batch_size)
    network.train()
    for epoch in range(begun, recipe.epochs):
        order = torch.randperm(recipe.scenes, generator=generator(recipe.seed, "order", epoch))
        total = 0.0
        for number, rows in enumerate(torch.split(order, recipe.batch_size)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate((epoch + number / batches) / recipe.epochs)
            loss = network.loss(images[rows], [truths[row] for row in rows.tolist()]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += float(loss.detach()) * len(rows)
        _keep(network, optimiser, epoch + 1, state)
        yield Progress(epoch + 1, recipe.epochs, total / recipe.scenes)
    network.eval()


def untrained(seed: int, classes: int = len(SCENE_LABELS)) -> GridNetwork:
    """Return a network with initial weights drawn from ``seed``; the caller's random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GridNetwork(classes)


def _resumed(network: GridNetwork, optimiser: torch.optim.Optimizer, state: Path | None) -> int:
    """Load the state of an interrupted training, and return the number of epochs that it has made."""
    if state is None or not state.is_file():
        return 0
    held: dict[str, Any] = torch.load(state, map_location="cpu", weights_only=True)
    network.load_state_dict(held["network"])
    optimiser.load_state_dict(held["optimiser"])
    return int(held["epoch"])


def _keep(network: GridNetwork, optimiser: torch.optim.Optimizer, epoch: int, state: Path | None) -> None:
    if state is not None:
        with replacing(state) as staged:
            torch.save({"network": network.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch}, staged)
