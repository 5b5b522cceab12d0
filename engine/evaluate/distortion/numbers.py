"""The numbers of distorted images as tables and curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from engine.artifacts import Axis, Curve, Table, Unit
from engine.evaluate.distortion.counting import FEW, Seen, clean_accuracy, destruction_rate, is_fooled


def survival(undistorted: Seen, seen: Sequence[Seen]) -> Table:
    """Return a row for each distortion and strength: the destruction rate with its counts and interval, and the clean accuracy.

    The first row is that of the images as they are, whose rate is 0 by definition. Empty: undefined.
    """
    fooled, rows = is_fooled(undistorted), []
    for each in (undistorted, *seen):
        rate, accuracy = destruction_rate(fooled, each.right), clean_accuracy(each)
        low, high = rate.interval if rate.of else (None, None)
        note = f"fewer than {FEW} images" if 0 < rate.of < FEW else ""
        rows.append((each.title, each.shown, rate.value, low, high, rate.hits, rate.of, accuracy.value, accuracy.of, note))
    shares = ("destruction rate", "low", "high", "clean accuracy")
    columns = ("distortion", "strength", *shares[:3], "undone", "adversarial", shares[3], "images", "note")
    units: dict[str, Unit] = dict.fromkeys(shares, "share")
    return Table(columns, tuple(rows), "Survival of the adversarial images", units=units)


def curve(undistorted: Seen, seen: Sequence[Seen]) -> Curve:
    """Return the destruction rates of every distortion over the number of its strength, from 0, where nothing is distorted."""
    fooled = is_fooled(undistorted)
    lines: dict[str, list[float]] = {}
    for each in seen:
        if not each.by_another_model:
            value = destruction_rate(fooled, each.right).value
            lines.setdefault(each.title, [0.0 if bool(fooled.any()) else torch.nan]).append(torch.nan if value is None else value)
    longest = max((len(line) for line in lines.values()), default=0)
    padded = {name: torch.tensor([*line, *[torch.nan] * (longest - len(line))], dtype=torch.float64) for name, line in lines.items()}
    x = torch.arange(longest, dtype=torch.float64)
    return Curve(x, padded, "Destruction rate", Axis("strength, from the weakest"), Axis("destruction rate", "share"))


def predictions(undistorted: Seen, seen: Sequence[Seen]) -> Table:
    """Return a row for each image at each strength: the predictions for the clean and the adversarial image, and the attack's fate."""
    fooled, rows = is_fooled(undistorted), list[tuple[Any, ...]]()
    for row in range(len(undistorted.labels)):
        for each in (undistorted, *seen):
            told = ((each.name(part, row), float(part.probabilities[row])) for part in (each.clean, each.adversarial))
            (clean, p_clean), (attacked, p_attacked) = told
            rows.append((row, each.title, each.shown, clean, p_clean, attacked, p_attacked, verdict(undistorted, fooled, each, row)))
    columns = ("image", "distortion", "strength", "clean", "p clean", "adversarial", "p adversarial", "verdict")
    first = 1 if len(undistorted.labels) == 1 else 0  # a single image needs no column for its number
    units: dict[str, Unit] = {"p clean": "share", "p adversarial": "share"}
    return Table(columns[first:], tuple(row[first:] for row in rows), "Predictions under each distortion", units=units)


def verdict(undistorted: Seen, fooled: torch.Tensor, each: Seen, row: int) -> str:
    """Return what became of the attack on one image, in a few words."""
    if not bool(fooled[row]):
        return "not adversarial" if bool(undistorted.right_clean[row]) else "misread before the attack"
    if bool(each.right[row]):
        return "undone"
    return "still wrong" if bool(each.right_clean[row]) else "the clean image is wrong, too"
