"""What the warning triangles show, in black (and red, yellow, green for the signals). White room: x +-60 at y 60, apex y -45."""

from __future__ import annotations

from engine.data.generated.canvas import Canvas
from engine.data.generated.geometry import Points, arc, path, place, points


def right_of_way(canvas: Canvas) -> None:
    """A broad arrow over a thin crossing bar."""
    canvas.fill("black", points([0, -24, 19, 6, 12, 6, 14, 62, 0, 52, -14, 62, -12, 6, -19, 6]))
    canvas.fill("black", points([-33, 17, 33, 17, 33, 28, -33, 28]))


def danger(canvas: Canvas) -> None:
    """An exclamation mark."""
    canvas.fill("black", points([-8, -30, 8, -30, 5, 37, -5, 37]))
    canvas.disc("black", 0, -30, 8)
    canvas.disc("black", 0, 53, 8)


def bumps(canvas: Canvas) -> None:
    """Two bumps."""
    (line,) = path("M -45 60 C -36 60 -32 40 -20 40 C -10 40 -8 51 0 51 C 8 51 10 40 20 40 C 32 40 36 60 45 60 Z")
    canvas.fill("black", line)


def slippery(canvas: Canvas) -> None:
    """A skidding car and its tracks."""
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
    """A road that loses its right edge."""
    canvas.fill("black", points([-18, -10, -6, -10, -6, 61, -18, 61]))
    canvas.fill("black", points([7, -10, 19, -10, 19, 8, 34, 32, 34, 61, 22, 61, 22, 36, 7, 12]))


def road_works(canvas: Canvas) -> None:
    """A digging man and a heap."""
    canvas.disc("black", 12, -27, 7.5)
    canvas.fill("black", points([4, -20, 14, -16, 2, 18, -18, 16, -12, -4]))
    _limbs(canvas, 8.5, "M -12 12 L -20 34 L -27 60 M -6 12 L 3 34 L 5 60 M 10 -14 L 20 4 L 8 14")
    canvas.line("black", 4.0, points([-20, -6, 26, 44]))
    (pile,) = path("M 10 61 C 24 50 32 32 42 32 C 52 32 58 50 68 61 Z")
    canvas.fill("black", pile)


def signals(canvas: Canvas) -> None:
    """Three lights."""
    for y, ink in ((-18, "red"), (13, "yellow"), (44, "green")):
        canvas.disc(ink, 0, y, 13)


def pedestrian(canvas: Canvas) -> None:
    """A walking man."""
    canvas.disc("black", 1, -31, 7.5)
    canvas.fill("black", points([-9, -20, 9, -20, 11, -6, 8, 20, -7, 20, -10, -4]))
    _limbs(canvas, 7.5, "M -3 16 L -8 40 L -22 63 M 4 16 L 14 38 L 23 63")
    _limbs(canvas, 6.0, "M -7 -16 L -18 0 L -13 14 M 7 -16 L 18 -2 L 22 10")


def children(canvas: Canvas) -> None:
    """Two running children."""
    canvas.disc("black", 17, -12, 6.5)
    canvas.fill("black", points([11, -4, 24, -4, 24, 25, 11, 25]))
    _limbs(canvas, 6.5, "M 14 22 L 11 40 L 2 58 M 20 23 L 32 38 L 46 50")
    _limbs(canvas, 5.5, "M 13 0 L 2 8 L -7 17 M 22 0 L 34 9 L 42 5")
    canvas.disc("black", -25, 2, 6)
    canvas.fill("black", points([-31, 9, -19, 9, -19, 34, -31, 34]))
    _limbs(canvas, 5.5, "M -28 32 L -31 46 L -41 57 M -22 32 L -15 45 L -11 59")
    _limbs(canvas, 4.5, "M -29 12 L -40 21 M -21 12 L -12 20")


def bicycle(canvas: Canvas) -> None:
    """A bicycle from the side."""
    for x in (-32, 32):
        canvas.line("black", 3.8, arc(x, 42, 18, 0, 360))
    frame = "M -32 42 L -15 13 L 17 13 L -3 42 L -15 13 M -32 42 L -3 42 M 32 42 L 14 1"
    canvas.line("black", 3.2, *path(frame), round_ends=True)
    canvas.line("black", 3.8, *path("M 14 1 L 24 0 M -18 5 L -15 13 M -25 4 L -10 4"), round_ends=True)
    canvas.disc("black", -3, 42, 4.5)


def snow(canvas: Canvas) -> None:
    """A snow crystal."""
    for degrees in range(0, 360, 60):
        arm = path("M 0 0 L 0 -34 M -10 -33 L 0 -23 L 10 -33 M -8 -24 L 0 -16 L 8 -24")
        canvas.line("black", 5.0, *[place(line, 1, 0, 27, degrees) for line in arm])


def deer(canvas: Canvas) -> None:
    """A leaping deer."""
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
