"""Images that are kept from the training, on which each epoch is measured."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.defenses.training.fit import Examples
from engine.errors import GibbonError
from engine.randomness import generator

MOST = 1000
"""Images that are held out, at most, where no number is asked for."""
LEAST = 20
"""Fewer say nothing: then none are held out, unless they are asked for."""


def split(images: Tensor, targets: Tensor, wanted: int | None, batch_size: int, seed: int) -> tuple[Examples, Examples]:
    """Return the images to train on, and those that are held out.

    ``wanted`` None: a tenth of all, `MOST` at most, none where that is fewer than `LEAST`. Which ones is drawn from ``seed``; with none
    held out the order of the images stays.
    """
    count = wanted
    if count is None:
        count = min(len(images) // 10, MOST)
        count = 0 if count < LEAST else count
    if count == 0:
        return Examples(images, targets), Examples(images[:0], targets[:0])
    if len(images) - count < min(batch_size, 2):
        raise GibbonError(f"{count} of {len(images)} images are to be held out: too few are left to train on. Lower held_out.")
    order = torch.randperm(len(images), generator=generator(seed, "held out"))
    kept, out = order[count:].sort().values, order[:count].sort().values
    return Examples(images[kept], targets[kept]), Examples(images[out], targets[out])
