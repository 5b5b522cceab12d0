"""Lettering of the road signs: constant-width strokes on a grid 100 high, flat ends, drawn for this project."""

from __future__ import annotations

import numpy as np

from engine.data.generated.canvas import Canvas
from engine.data.generated.geometry import Points, path

HEIGHT = 100.0
GLYPHS: dict[str, tuple[float, str]] = {
    "0": (
        58,
        "M 29 7.5 C 43 7.5 50.5 17 50.5 34 L 50.5 66 C 50.5 83 43 92.5 29 92.5 C 15 92.5 7.5 83 7.5 66 L 7.5 34 C 7.5 17 15 7.5 29 7.5 Z",
    ),
    "1": (36, "M 27 100 L 27 0 M 23 9 C 19 17 12 23 2 26"),
    "2": (58, "M 9 30 C 9 15 17 7.5 29 7.5 C 42 7.5 49.5 15 49.5 28 C 49.5 40 42 48 33 58 C 23 69 13 80 10 92.5 M 3 92.5 L 54 92.5"),
    "3": (
        58,
        "M 9 26 C 11 13 18 7.5 28.5 7.5 C 41 7.5 48.5 15 48.5 27 C 48.5 39 40 47 26 47"
        " M 19 47 L 27 47 C 42 47 50.5 56 50.5 69 C 50.5 84 42 92.5 28.5 92.5 C 16 92.5 9 86 7.5 73",
    ),
    "5": (58, "M 50 7.5 L 14 7.5 L 12 50 C 17 43 22 40 30 40 C 43 40 50.5 50 50.5 66 C 50.5 83 42 92.5 28.5 92.5 C 17 92.5 9 86 7.5 75"),
    "6": (58, "M 41 0 C 22 20 7.5 42 7.5 66 C 7.5 83 16 92.5 29 92.5 C 42 92.5 50.5 83 50.5 67 C 50.5 51 42 42 30 42 C 19 42 10 49 7.5 62"),
    "7": (56, "M 3 7.5 L 47 7.5 C 37 32 25 66 21 100"),
    "8": (
        58,
        "M 29 7.5 C 41 7.5 47.5 15 47.5 27 C 47.5 39 41 46.5 29 46.5 C 17 46.5 10.5 39 10.5 27 C 10.5 15 17 7.5 29 7.5 Z"
        " M 29 46.5 C 42.5 46.5 50.5 55 50.5 69 C 50.5 84 42.5 92.5 29 92.5 C 15.5 92.5 7.5 84 7.5 69 C 7.5 55 15.5 46.5 29 46.5 Z",
    ),
    "S": (
        54,
        "M 46.5 27 C 45 14 38 7.5 27 7.5 C 15 7.5 8 15 8 27 C 8 39 16 44 27 49.5"
        " C 39 55.5 46.5 61 46.5 73 C 46.5 85 39 92.5 27 92.5 C 15 92.5 8 85.5 7.5 71",
    ),
    "T": (54, "M 1 7.5 L 53 7.5 M 27 7.5 L 27 100"),
    "O": (
        56,
        "M 28 7.5 C 41 7.5 48.5 17 48.5 34 L 48.5 66 C 48.5 83 41 92.5 28 92.5 C 15 92.5 7.5 83 7.5 66 L 7.5 34 C 7.5 17 15 7.5 28 7.5 Z",
    ),
    "P": (54, "M 10.5 100 L 10.5 0 M 10.5 7.5 L 27 7.5 C 40 7.5 47 16 47 30 C 47 44 40 52.5 27 52.5 L 10.5 52.5"),
}


def write(canvas: Canvas, ink: str, text: str, *, height: float, width: float = 1.0, weight: float = 15.0, gap: float = 10.0) -> None:
    """Write a line of glyphs around the origin.

    Parameters
    ----------
    height
        Height in the canvas's units.
    width
        Width as a share of the normal one: below 1 for three digits.
    weight, gap
        Stroke and distance between glyphs, on the grid of 100.
    """
    advance = [GLYPHS[letter][0] * width for letter in text]
    total = sum(advance) + gap * (len(text) - 1)
    scale, x = height / HEIGHT, -0.5 * total
    for letter, step in zip(text, advance, strict=True):
        for line in path(GLYPHS[letter][1]):
            canvas.line(ink, weight * scale, _placed(line, width, x, scale))
        x += step + gap


def _placed(line: Points, width: float, x: float, scale: float) -> Points:
    return np.stack([(line[:, 0] * width + x) * scale, (line[:, 1] - 0.5 * HEIGHT) * scale], axis=1)
