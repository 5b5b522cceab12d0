"""White arrows of the blue signs, and the dark ones of the bends."""

from __future__ import annotations

import math

from engine.data.generated.canvas import Canvas
from engine.data.generated.geometry import Points, arc, arrow_head, mirrored, path, place, points

SHAFT = 19.0


def ahead(canvas: Canvas) -> None:
    """Draw an arrow that points straight up."""
    canvas.line("white", SHAFT, points([0, 78, 0, -54]))
    canvas.fill("white", arrow_head((0, -80), -90, 38, 23, SHAFT))


def turn(canvas: Canvas, *, left: bool) -> None:
    """Draw an arrow that bends to one side."""
    (shaft,) = path("M -26 70 L -26 8 C -26 -20 -12 -33 14 -33 L 42 -33")
    head = arrow_head((68, -33), 0, 36, 23, SHAFT)
    canvas.line("white", SHAFT, _turned(shaft, left))
    canvas.fill("white", _turned(head, left))


def straight_or_turn(canvas: Canvas, *, left: bool) -> None:
    """Draw an arrow up with a branch to one side."""
    shaft = points([-21, 76, -21, -52])
    (branch,) = path("M -21 44 C -20 22 -8 12 14 10 L 52 10")
    heads = [arrow_head((-21, -79), -90, 31, 20, 17), arrow_head((77, 10), 0, 33, 21, 17)]
    canvas.line("white", 17, _turned(shaft, left), _turned(branch, left))
    canvas.fill("white", *[_turned(head, left) for head in heads])


def keep(canvas: Canvas, *, left: bool) -> None:
    """Draw an arrow down to one side."""
    shaft = points([-53, -53, 36, 36])
    canvas.line("white", 21, _turned(shaft, left))
    canvas.fill("white", _turned(arrow_head((56, 56), 45, 43, 26, 21), left))


def roundabout(canvas: Canvas) -> None:
    """Draw three arrows that chase each other anticlockwise."""
    radius = 58.0
    for start in (80.0, 200.0, 320.0):
        angle = start - 102.0
        tip = (radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle)))
        canvas.line("white", 13, arc(0, 0, radius, start, angle + 15.0))
        canvas.fill("white", arrow_head(tip, angle - 74.0, 23, 14, 12))


def bend(canvas: Canvas, *, left: bool) -> None:
    """Draw the dark arrow of a bend."""
    (shaft,) = path("M 20 60 L 20 34 C 20 21 14 15 3 15 L -10 15")
    head = points([-34, 17, -10, 2, -10, 28])
    canvas.line("black", 18, _turned(shaft, not left))
    canvas.fill("black", _turned(head, not left))


def double_bend(canvas: Canvas) -> None:
    """Draw the dark arrow of a double bend, first to the left."""
    canvas.line("black", 16, points([21, 60, 21, 12, -11, 27, -11, -8]))
    canvas.fill("black", place(points([-26, -6, -11, -27, 4, -6])))


def _turned(shape: Points, mirror: bool) -> Points:
    return mirrored(shape) if mirror else shape
