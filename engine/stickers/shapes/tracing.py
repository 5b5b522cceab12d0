"""Loops around the covered cells of a grid, along the edges between cells."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

Corner = tuple[int, int]
"""Column and row of a corner between cells."""


def loops_around(covered: Tensor) -> list[list[Corner]]:
    """Return the edges of a region as closed loops of corners, with the region on the right hand of each step.

    Parameters
    ----------
    covered
        ``(rows, columns)`` bool. Cells that touch at a corner only belong to different loops.

    Returns
    -------
    list
        One loop around each part and each hole, without corners between straight pieces.
    """
    steps = _steps(covered)
    loops = []
    while steps:
        corner = next(iter(steps))
        heading = next(iter(steps[corner]))
        loops.append(_straightened(_followed(steps, corner, heading)))
    return loops


def _steps(covered: Tensor) -> dict[Corner, list[Corner]]:
    """Return, for each corner, the directions ``(dx, dy)`` of the edges that begin there."""
    padded = torch.nn.functional.pad(covered, (1, 1, 1, 1))
    steps: dict[Corner, list[Corner]] = {}
    inside, outside = padded[1:-1, 1:-1], ~padded
    sides = (
        (outside[:-2, 1:-1], (0, 0), (1, 0)),  # above: to the right along the top
        (outside[1:-1, 2:], (1, 0), (0, 1)),  # right: down
        (outside[2:, 1:-1], (1, 1), (-1, 0)),  # below: to the left
        (outside[1:-1, :-2], (0, 1), (0, -1)),  # left: up
    )
    for beside, (dx, dy), heading in sides:
        for row, column in (inside & beside).nonzero().tolist():
            steps.setdefault((column + dx, row + dy), []).append(heading)
    return steps


def _followed(steps: dict[Corner, list[Corner]], corner: Corner, heading: Corner) -> Iterator[Corner]:
    """Yield the corners of one loop, and take its edges out of ``steps``. Where two edges begin, the one to the right is taken."""
    start = corner
    while True:
        yield corner
        steps[corner].remove(heading)
        if not steps[corner]:
            del steps[corner]
        corner = corner[0] + heading[0], corner[1] + heading[1]
        if corner == start:
            return
        right = -heading[1], heading[0]
        heading = right if right in steps[corner] else steps[corner][0]


def _straightened(corners: Iterator[Corner]) -> list[Corner]:
    loop = list(corners)
    return [
        corner
        for before, corner, after in zip((loop[-1], *loop[:-1]), loop, (*loop[1:], loop[0]), strict=True)
        if (corner[0] - before[0]) * (after[1] - corner[1]) != (after[0] - corner[0]) * (corner[1] - before[1])
    ]
