"""Drawing of digits in small steps, so that an experiment with hundreds reports progress and can be cancelled."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch

from engine.data import DataSet
from engine.data.labels import DIGIT_LABELS

_AT_A_TIME = 5
"""Digits drawn between two steps, in a twentieth of a second."""


def drawn_digits(count: int, seed: int = 0, classes: Sequence[int] = ()) -> Generator[str, None, DataSet]:
    """Draw ``count`` digits in turn, of the given ``classes`` (none: all ten), and return them as a data set.

    For all ten it equals ``engine.data.load("generated:digits", count=count, seed=seed)``; for some classes, the k-th digit of each is the
    same picture as there.
    """
    from engine.data.generated.digits import kept_digit

    chosen = tuple(classes) or tuple(range(len(DIGIT_LABELS)))
    targets = [chosen[place % len(chosen)] for place in range(count)]
    pictures = []
    for place, label in enumerate(targets):
        pictures.append(kept_digit(label, (seed << 20) + place // len(chosen)))
        if len(pictures) % _AT_A_TIME == 0 or len(pictures) == count:
            yield f"drawing digits, {len(pictures)} of {count}"
    which = f" ({', '.join(DIGIT_LABELS[label] for label in chosen)} only)" if classes else ""
    source = f"{count} digits{which} drawn by this project from seed {seed}"
    stack = torch.from_numpy(np.stack(pictures))[:, None]
    return DataSet("generated:digits", DIGIT_LABELS, stack, torch.tensor(targets), source, seed=seed)
