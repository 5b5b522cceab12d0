"""Cars and lorries of the overtaking signs, and the lorry of the ban on lorries."""

from __future__ import annotations

from engine.data.generated.canvas import Canvas
from engine.data.generated.geometry import place, points

# the car from behind is 56 wide, with its roof at y -20 and the ground at y 19
_ROOF = points([-19, -20, 19, -20, 24, -3, -24, -3])
_PANE = points([-15.5, -16, 15.5, -16, 19, -5, -19, -5])
_BODY = points([-26, -5, 26, -5, 28, -1, 28, 10, -28, 10, -28, -1])
_WHEEL = points([-25, 8, -15, 8, -15, 19, -25, 19])


def car(canvas: Canvas, ink: str, x: float, y: float, size: float = 1.0) -> None:
    """Draw a car seen from behind, 56 wide."""
    canvas.fill(ink, *[place(part, size, x, y) for part in (_ROOF, _BODY, _WHEEL)])
    canvas.fill(ink, place(_WHEEL, size, x + 40 * size, y))
    canvas.fill("white", place(_PANE, size, x, y))


def lorry_behind(canvas: Canvas, ink: str, x: float, y: float) -> None:
    """Draw a lorry seen from behind: a high box, a gap, an axle."""
    canvas.fill(ink, place(points([-25, -40, 25, -40, 25, 16, -25, 16]), 1, x, y))
    canvas.fill(ink, place(points([-22, 19, 22, 19, 22, 25, -22, 25]), 1, x, y))
    canvas.fill(ink, place(points([-22, 22, -12, 22, -12, 34, -22, 34]), 1, x, y))
    canvas.fill(ink, place(points([12, 22, 22, 22, 22, 34, 12, 34]), 1, x, y))


def overtaking(canvas: Canvas, left: str, right: str) -> None:
    """Draw two cars side by side."""
    car(canvas, left, -32, 2)
    car(canvas, right, 33, 2)


def overtaking_by_lorries(canvas: Canvas, left: str, right: str) -> None:
    """Draw a lorry and a car side by side."""
    lorry_behind(canvas, left, -29, 4)
    car(canvas, right, 33, 18, 0.92)


def lorry(canvas: Canvas) -> None:
    """Draw a lorry from the side, driving left."""
    canvas.fill("black", points([-19, -29, 55, -26, 55, 13, -19, 13]))
    canvas.fill("black", points([-24, -15, -40, -15, -52, 1, -55, 6, -55, 19, -24, 19]))
    canvas.fill("white", points([-29, -10, -38, -10, -46, 2, -29, 2]))
    canvas.fill("black", points([-30, 16, 54, 16, 54, 21, -30, 21]))
    for x in (-39, 33):
        canvas.disc("white", x, 21, 11)
        canvas.disc("black", x, 21, 8.5)
