"""Symbols of the warning triangles, in black (and red, yellow, green for the signals). The white area: x +-60 at y 60, apex y -45."""

from __future__ import annotations

from engine.data.generated.canvas import Canvas
from engine.data.generated.geometry import Points, arc, path, place, points


def right_of_way(canvas: Canvas) -> None:
    """Draw a broad arrow over a thin crossing bar."""
    canvas.fill("black", points([0, -24, 19, 6, 12, 6, 14, 62, 0, 52, -14, 62, -12, 6, -19, 6]))
    canvas.fill("black", points([-33, 17, 33, 17, 33, 28, -33, 28]))


def danger(canvas: Canvas) -> None:
    """Draw the exclamation mark of a danger."""
    canvas.fill("black", points([-8, -30, 8, -30, 5, 37, -5, 37]))
    canvas.disc("black", 0, -30, 8)
    canvas.disc("black", 0, 53, 8)


def bumps(canvas: Canvas) -> None:
    """Draw the two bumps of an uneven road."""
    (line,) = path("M -45 60 C -36 60 -32 40 -20 40 C -10 40 -8 51 0 51 C 8 51 10 40 20 40 C 32 40 36 60 45 60 Z")
    canvas.fill("black", line)


def slippery(canvas: Canvas) -> None:
    """Draw a skidding car and its tracks."""
    body = [
        points([-21, -17, 21, -17, 27, 0, -27, 0]),
        points([-30, -2, 30, -2, 31, 16, -31, 16]),
        points([-28, 14, -17, 14, -17, 24, -28, 24]),
        points([28, 14, 17, 14, 17, 24, 28, 24]),
    ]
    canvas.fill("black", *[place(part, 0.95, 2, 12, 11) for part in body])
    canvas.fill("white", place(points([-17, -13, 17, -13, 21, -2, -21, -2]), 0.95, 2, 12, 11))
    left = path("M -14 42 C -8 52 -40 46 -41 55 C -42 65 -24 61 -18 65")
    right = path("M 18 47 C 24 57 2 52 4 59 C 6 66 24 62 46 65")
    canvas.line("black", 4.5, *left, *right)


def narrows(canvas: Canvas) -> None:
    """Draw a road that loses its right edge."""
    canvas.fill("black", points([-18, -10, -6, -10, -6, 61, -18, 61]))
    canvas.fill("black", points([7, -10, 19, -10, 19, 8, 34, 32, 34, 61, 22, 61, 22, 36, 7, 12]))


def road_works(canvas: Canvas) -> None:
    """Draw a digging man and a heap."""
    canvas.disc("black", 0, -28, 6.5)
    canvas.fill("black", points([-9, -20, 3, -15, -12, 17, -26, 14, -20, -5]))
    _limbs(canvas, 7.0, "M -21 13 L -29 34 L -40 60 M -17 14 L -10 34 L -12 60")
    _limbs(canvas, 5.5, "M -1 -13 L 10 4 L -2 22")
    canvas.line("black", 3.4, points([-28, -3, 14, 42]))
    (pile,) = path("M 2 61 C 14 54 20 31 31 31 C 42 31 52 54 64 61 Z")
    canvas.fill("black", pile)


def signals(canvas: Canvas) -> None:
    """Draw the three lights of a traffic signal."""
    for y, ink in ((-18, "red"), (13, "yellow"), (44, "green")):
        canvas.disc(ink, 0, y, 13)


def pedestrian(canvas: Canvas) -> None:
    """Draw a walking man, for pedestrians."""
    canvas.disc("black", 2, -25, 7)
    canvas.fill("black", points([-7, -15, 10, -15, 10, 0, 8, 21, -6, 21, -8, 0]))
    _limbs(canvas, 7.0, "M -2 18 L -9 40 L -26 62 M 4 18 L 15 38 L 28 62")
    _limbs(canvas, 5.5, "M -6 -12 L -20 3 L -19 17 M 8 -12 L 21 0 L 28 11")


def children(canvas: Canvas) -> None:
    """Draw two running children, one behind the other."""
    canvas.disc("black", 12, -10, 6.5)
    canvas.fill("black", points([5, -2, 19, -2, 19, 27, 6, 27]))
    _limbs(canvas, 6.5, "M 9 24 L 6 42 L -3 60 M 15 25 L 28 40 L 43 53")
    _limbs(canvas, 5.5, "M 8 2 L -3 11 L -9 20 M 17 2 L 27 13 L 35 15")
    canvas.disc("black", -23, 8, 6)
    canvas.fill("black", points([-29, 15, -17, 15, -17, 39, -29, 39]))
    _limbs(canvas, 5.5, "M -26 37 L -29 50 L -39 60 M -20 37 L -13 49 L -10 62")
    _limbs(canvas, 4.5, "M -27 18 L -36 28 M -19 18 L -11 25")


def bicycle(canvas: Canvas) -> None:
    """Draw a bicycle from the side, riding left."""
    for x in (-30, 30):
        canvas.line("black", 4.0, arc(x, 42, 19, 0, 360))
    canvas.line("black", 3.4, *path("M 30 42 L 15 13 L -17 13 L 3 42 L 15 13 M 30 42 L 3 42 M -30 42 L -14 1"), round_ends=True)
    canvas.line("black", 3.8, *path("M -14 1 L -24 0 M 18 5 L 15 13 M 25 4 L 10 4"), round_ends=True)
    canvas.disc("black", 3, 42, 4.5)


def snow(canvas: Canvas) -> None:
    """Draw a snow crystal of six arms."""
    for degrees in range(0, 360, 60):
        arm = path("M 0 0 L 0 -34 M -10 -33 L 0 -23 L 10 -33 M -8 -24 L 0 -16 L 8 -24")
        canvas.line("black", 5.8, *[place(line, 1, 0, 27, degrees) for line in arm])


def deer(canvas: Canvas) -> None:
    """Draw a leaping deer, for wild animals."""
    (body,) = path(
        "M -25 -16 L -15 -22 L -8 -24 L -3 -19 L 1 0 C 6 9 16 14 26 22 L 33 20 L 32 27 C 36 34 38 42 42 46 L 57 60 L 51 63"
        " L 34 48 L 25 40 L 34 53 L 31 58 L 26 58 L 14 42 C 6 38 0 34 -4 28 L -12 22 L -28 22 L -34 28 L -38 25 L -31 15 L -10 13"
        " C -14 6 -12 -3 -12 -11 L -21 -11 Z"
    )
    antlers = path("M -8 -22 C -10 -29 -8 -32 -10 -38 M -6 -22 C -3 -28 0 -30 1 -37")
    canvas.fill("black", place(body, 0.86, 0, 7))
    canvas.line("black", 3.0, *[place(line, 0.86, 0, 7) for line in antlers])


def _limbs(canvas: Canvas, width: float, text: str) -> None:
    lines: list[Points] = path(text)
    canvas.line("black", width, *lines, round_ends=True)
