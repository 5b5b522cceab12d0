"""A small reader of the pages that matplotlib writes as PDF: their sizes, and paths and pictures in points from the lower left."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

Points = list[tuple[float, float]]


@dataclass
class Page:
    """One page."""

    width: float
    height: float
    pictures: list[Points] = field(default_factory=list)
    """The corners of each picture, as the unit square is mapped: lower left, lower right, upper right, upper left."""
    clips: list[Points] = field(default_factory=list)
    """For each picture, the points of the path that clips it last."""
    lines: list[Points] = field(default_factory=list)
    """Stroked paths."""
    filled: list[tuple[tuple[float, ...], Points]] = field(default_factory=list)
    """Colour and points of filled paths."""


def pages(path: Path) -> list[Page]:
    """Read all pages of a file."""
    data = path.read_bytes()
    objects = {int(found[1]): found[2] for found in re.finditer(rb"(?s)(?:^|\n)(\d+) 0 obj(.*?)endobj", data)}
    made = []
    for content in objects.values():
        if re.search(rb"/Type\s*/Page\b", content):
            box = [float(each) for each in re.search(rb"/MediaBox\s*\[([^\]]*)\]", content)[1].split()]  # type: ignore[index]
            page = Page(box[2] - box[0], box[3] - box[1])
            stream = objects[int(re.search(rb"/Contents\s+(\d+)", content)[1])]  # type: ignore[index]
            raw = re.search(rb"(?s)stream\r?\n(.*?)\r?\nendstream", stream)[1]  # type: ignore[index]
            _draw(page, zlib.decompress(raw).decode("latin-1"))
            made.append(page)
    return made


def _draw(page: Page, text: str) -> None:
    text = re.sub(r"(?s)\bBT\b.*?\bET\b", " ", text)
    matrix, clip, colour = np.eye(3), [], (0.0,)
    stack: list[tuple[np.ndarray, Points, tuple[float, ...]]] = []
    numbers: list[float] = []
    path: Points = []
    pending = False
    for token in text.split():
        if re.fullmatch(r"[-+]?[\d.]+", token):
            numbers.append(float(token))
            continue
        if token == "q":
            stack.append((matrix, clip, colour))
        elif token == "Q":
            matrix, clip, colour = stack.pop()
        elif token == "cm":
            a, b, c, d, e, f = numbers
            matrix = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ matrix
        elif token in ("m", "l"):
            path.append(_at(matrix, *numbers))
        elif token == "c":
            path.append(_at(matrix, *numbers[-2:]))
        elif token == "re":
            x, y, w, h = numbers
            path += [_at(matrix, *point) for point in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))]
        elif token in ("g", "rg"):
            colour = tuple(numbers)
        elif token == "W":
            pending = True
        elif token in ("n", "f", "S", "s", "B", "b"):
            if pending:
                clip, pending = path, False
            elif token in ("f", "B", "b"):
                page.filled.append((colour, path))
            elif token in ("S", "s"):
                page.lines.append(path)
            path = []
        elif token == "Do":
            page.pictures.append([_at(matrix, *point) for point in ((0, 0), (1, 0), (1, 1), (0, 1))])
            page.clips.append(clip)
        numbers = []


def _at(matrix: np.ndarray, x: float, y: float) -> tuple[float, float]:
    found = np.array([x, y, 1.0]) @ matrix
    return float(found[0]), float(found[1])
