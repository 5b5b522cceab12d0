"""Handwritten-like digits, white on black, any number from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.bits import Bits
from engine.data.generated.backgrounds import Image, Random
from engine.data.generated.canvas import REACH, Canvas
from engine.data.generated.checks import checked
from engine.data.generated.geometry import Points, path
from engine.data.generated.photo import blurred, reduced

SMALLEST, LARGEST = 16, 512

# Each way of writing a digit is one string of pen strokes in a box 100 high.
PEN: tuple[tuple[str, ...], ...] = (
    (
        "M 36 3 C 12 4 2 30 3 55 C 4 82 16 98 34 97 C 56 96 66 72 65 46 C 64 20 54 2 34 3",
        "M 44 6 C 22 -2 4 24 3 54 C 2 84 18 98 36 97 C 58 95 66 66 64 42 C 62 18 52 4 34 6",
    ),
    ("M 20 2 C 19 30 17 66 16 98", "M 4 22 C 12 16 18 9 22 2 C 21 34 20 66 19 98", "M 26 2 C 20 34 14 66 10 98"),
    (
        "M 6 26 C 8 8 24 1 38 3 C 56 6 60 24 52 42 C 42 64 22 80 5 95 C 24 93 46 93 66 95",
        "M 6 22 C 14 4 34 -1 46 6 C 60 16 54 38 44 54 C 34 72 20 88 12 93 C 2 97 2 84 14 81 C 30 78 46 94 68 90",
    ),
    (
        "M 6 14 C 18 0 46 -2 54 12 C 60 28 44 44 24 47 C 46 46 64 56 62 74 C 59 94 28 102 4 90",
        "M 8 8 C 24 0 52 2 54 18 C 54 34 38 44 26 46 C 50 46 62 62 56 80 C 50 97 24 100 6 92",
    ),
    (
        "M 14 4 C 10 22 6 38 4 52 C 22 56 46 54 66 50 M 56 4 C 54 36 52 68 50 98",
        "M 16 8 C 12 26 8 40 8 50 C 16 60 40 56 54 46 M 58 6 C 54 40 50 70 46 98",
        "M 52 98 C 53 66 55 34 56 3 C 40 22 20 42 4 62 C 26 62 48 61 70 60",
    ),
    (
        "M 62 4 C 46 5 32 5 18 5 C 16 18 13 30 11 42 C 28 34 56 38 60 60 C 62 86 32 102 4 92",
        "M 20 6 C 18 20 14 32 12 44 C 30 38 54 44 55 66 C 54 92 26 102 4 92 M 20 6 C 34 7 50 5 64 3",
    ),
    (
        "M 48 2 C 24 18 6 44 4 70 C 4 92 22 100 38 96 C 56 91 60 70 48 60 C 34 50 12 60 6 76",
        "M 36 2 C 18 24 6 50 6 72 C 7 94 24 100 36 96 C 52 90 54 68 42 62 C 28 56 12 66 8 80",
    ),
    (
        "M 4 10 C 24 8 44 7 62 6 C 52 36 38 66 30 98",
        "M 5 18 C 4 8 20 6 60 6 C 50 34 36 64 28 98",
        "M 4 8 C 24 7 42 7 60 5 C 50 36 36 68 28 98 M 18 50 C 32 49 46 48 58 46",
    ),
    (
        "M 52 12 C 40 -2 12 2 12 20 C 12 40 56 52 54 76 C 52 100 8 102 7 78 C 7 56 56 44 58 20 C 58 10 54 8 50 12",
        "M 32 46 C 10 40 10 4 34 3 C 60 4 56 40 32 47 C 4 54 4 97 32 97 C 62 96 58 54 34 47",
    ),
    (
        "M 54 18 C 44 0 12 2 8 26 C 6 50 40 54 54 26 C 55 22 56 16 57 10 C 54 40 50 70 44 98",
        "M 56 20 C 46 -2 10 4 8 28 C 8 50 44 50 56 20 C 56 50 52 84 32 98",
        "M 52 14 C 36 -2 8 10 8 30 C 9 50 42 48 54 16 C 50 44 46 72 42 98",
    ),
)


def draw_digit(label: int, seed: int, size: int = 28) -> NDArray[np.uint8]:
    """Draw one digit as if by hand, framed as the MNIST digits are.

    The digit fits 20/28 of the frame and its centre of mass is the frame's centre. Way of writing, wobble, slant and pen follow
    from ``np.random.default_rng([seed, label])``, so the same arguments give the same bits.

    Parameters
    ----------
    label
        0 to 9.
    seed
        Not negative.
    size
        Side in pixels, 16 to 512.

    Returns
    -------
    (size, size) uint8 array
        0 is the ground, 255 the ink.

    Raises
    ------
    GibbonError
        For a label, seed or size out of range.
    """
    checked(label, len(PEN), seed, size, (SMALLEST, LARGEST))
    rng = np.random.default_rng([seed, label])
    ways = PEN[label]
    lines = _handwritten(rng, ways[int(rng.integers(len(ways)))])
    thick = float(rng.uniform(0.055, 0.115))
    softness = float(rng.uniform(0.3, 0.55)) * size / 28.0
    picture = blurred(_inked(_framed(lines, thick), thick, size), softness, softness)[..., 0]
    picture *= np.float32(rng.uniform(0.98, 1.15)) / max(np.float32(1e-6), picture.max())
    return (np.clip(picture, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)


@lru_cache(maxsize=4096)
def kept_digit(label: int, seed: int) -> NDArray[np.uint8]:
    """Return ``draw_digit(label, seed)``, from memory where it was drawn before: the same few are chosen again and again. Copy it."""
    return draw_digit(label, seed)


def generated_digits(n: int, seed: int, size: int = 28, classes: Sequence[int] = ()) -> Bits[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Draw ``n`` digits in turn: picture i shows i % 10 and is ``draw_digit(i % 10, seed * 2**20 + i // 10, size)``.

    With ``classes`` these alone take turns; the k-th picture of a class is the same as without.

    Returns
    -------
    images : (n, size, size) uint8 array
    labels : (n,) int64 array
    """
    checked(0, len(PEN), seed, size, (SMALLEST, LARGEST), n)
    turns = np.array(classes or range(len(PEN)), np.int64)
    labels = turns[np.arange(n) % len(turns)]
    images = np.empty((n, size, size), np.uint8)
    for i in range(n):
        label, own = int(labels[i]), (seed << 20) + i // len(turns)
        images[i] = kept_digit(label, own) if size == 28 else draw_digit(label, own, size)
        yield i + 1, n
    return images, labels


def _handwritten(rng: Random, text: str) -> list[Points]:
    """Return the strokes of a text with a hand's wobble, slant, turn and proportions."""
    tokens = [token if token.isalpha() else str(float(token) + rng.normal(0.0, 2.0)) for token in text.split()]
    slant, angle = rng.normal(0.12, 0.14), rng.normal(0.0, 0.06)
    width = rng.uniform(0.8, 1.15)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ np.array([[width, 0.0], [-slant, 1.0]])
    return [line @ matrix for line in path(" ".join(tokens))]


def _framed(lines: list[Points], thick: float) -> list[Points]:
    """Scale strokes so that the ink's longer side is 20/28 of the frame, with its centre of mass at the origin, in the canvas's units."""
    every = np.concatenate(lines)
    room = 2.0 * REACH * (20.0 / 28.0 - thick)
    scale = room / float((every.max(axis=0) - every.min(axis=0)).max())
    # the mass of a stroke of constant width is its length
    weights = np.concatenate([np.hypot(*np.diff(line, axis=0).T) for line in lines])
    middles = np.concatenate([0.5 * (line[:-1] + line[1:]) for line in lines])
    centre = (middles * weights[:, None]).sum(axis=0) / weights.sum()
    return [(line - centre) * scale for line in lines]


def _inked(lines: list[Points], thick: float, size: int) -> Image:
    """Draw pen strokes with round ends, float32 ``(size, size, 1)`` in [0, 1]."""
    canvas = Canvas(2 * size)
    canvas.line("white", 2.0 * REACH * thick, *lines, round_ends=True)
    _, shares = canvas.coverage()
    return reduced(shares[0][..., None].astype(np.float32) / np.float32(255.0), 2)
