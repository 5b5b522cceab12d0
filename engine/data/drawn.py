"""Data sets that this project draws from a seed, so that everything that needs data runs without a download."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.bits import Bits
from engine.data.dataset import DataSet
from engine.data.labels import DIGIT_LABELS, SIGN_LABELS
from engine.data.selection import checked_classes, numbers_of
from engine.errors import GibbonError

_MOST_DRAWN = 100_000
"""Largest number of images in a drawn set: drawing takes about a millisecond each."""
DRAWN = {"signs": 430, "digits": 200}
"""Sets that this project draws itself, with the default number of images: ten signs of each class, twenty digits."""
LABELS = {"signs": SIGN_LABELS, "digits": DIGIT_LABELS}
"""Their class names."""
SHAPES = {"signs": (3, 32, 32), "digits": (1, 28, 28)}
"""Shapes ``(C, H, W)`` of their images where no size is given."""


def read_drawn(name: str, count: int | None, seed: int, size: tuple[int, int] | None, classes: Sequence[int]) -> Bits[DataSet]:
    """Draw a set, image by image.

    Raises
    ------
    GibbonError
        There is no such set, or too many images or a size that is not square are asked for.
    """
    if name not in DRAWN:
        raise GibbonError(f'This project draws no "{name}": use {" or ".join(f"generated:{drawn}" for drawn in DRAWN)}.')
    from engine.data import generated

    count = DRAWN[name] if count is None else count
    if count > _MOST_DRAWN:
        raise GibbonError(f"{count:,} drawn images were asked for, and {_MOST_DRAWN:,} are allowed: drawing them would take too long.")
    if size is not None and size[0] != size[1]:
        raise GibbonError(f"Drawn images are square, but {size[0]} × {size[1]} was asked for: give one side twice.")
    labels = LABELS[name]
    wanted = checked_classes(classes, labels)
    if name == "signs":
        images, targets = yield from generated.generated_signs(count, seed, (size or (32, 32))[0], wanted)
    else:
        images, targets = yield from generated.generated_digits(count, seed, (size or (28, 28))[0], wanted)
    source = f"{count} {name} drawn by this project from seed {seed}"
    pixels = torch.from_numpy(images).reshape(*images.shape[:3], -1)  # digits are grey, and have no axis for channels
    stack = pixels.permute(0, 3, 1, 2).contiguous()
    turns = torch.arange(count) // (len(wanted) or len(labels))
    places = turns * len(labels) + torch.as_tensor(targets)
    return DataSet(
        f"generated:{name}", labels, stack, torch.as_tensor(targets, dtype=torch.int64), source, seed=seed, places=numbers_of(places)
    )
