"""What the warning triangles show, in black (and red, yellow, green for the signals). White room: x +-60 at y 60, apex y -45."""

from __future__ import annotations

from engine.data.generated.canvas import Canvas
from engine.data.generated.geometry import Points, arc, path, place, points


def right_of_way(canvas: Canvas) -> None:
    canvas.fill("black", points([0, -24, 19, 6, 12, 6, 14, 62, 0, 52, -14, 62, -12, 6, -19, 6]))
    canvas.fill("black", points([-33, 17, 33, 17, 33, 28, -33, 28]))


def danger(canvas: Canvas) -> None:
    canvas.fill("black", points([-8, -30, 8, -30, 5, 37, -5, 37]))
    canvas.disc("black", 0, -30, 8)
    canvas.disc("black", 0, 53, 8)


def bumps(canvas: Canvas) -> None:
    (line,) = path("M -45 60 C -36 60 -32 40 -20 40 C -10 40 -8 51 0 51 C 8 51 10 40 20 40 C 32 40 36 60 45 60 Z")
    canvas.fill("black", line)


def slippery(canvas: Canvas) -> None:
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
    canvas.fill("black", points([-18, -10, -6, -10, -6, 61, -18, 61]))
    canvas.fill("black", points([7, -10, 19, -10, 19, 8, 34, 32, 34, 61, 22, 61, 22, 36, 7, 12]))


def road_works(canvas: Canvas) -> None:
    canvas.disc("black", 12, -27, 7.5)
    canvas.fill("black", points([4, -20, 14, -16, 2, 18, -18, 16, -12, -4]))
    _limbs(canvas, 8.5, "M -12 12 L -20 34 L -27 60 M -6 12 L 3 34 L 5 60 M 10 -14 L 20 4 L 8 14")
    canvas.line("black", 4.0, points([-20, -6, 26, 44]))
    (pile,) = path("M 10 61 C 24 50 32 32 42 32 C 52 32 58 50 68 61 Z")
    canvas.fill("black", pile)


def signals(canvas: Canvas) -> None:
    for y, ink in ((-18, "red"), (13, "yellow"), (44, "green")):
        canvas.disc(ink, 0, y, 13)


def pedestrian(canvas: Canvas) -> None:
    canvas.disc("black", 1, -31, 7.5)
    canvas.fill("black", points([-9, -20, 9, -20, 11, -6, 8, 20, -7, 20, -10, -4]))
    _limbs(canvas, 7.5, "M -3 16 L -8 40 L -22 63 M 4 16 L 14 38 L 23 63")
    _limbs(canvas, 6.0, "M -7 -16 L -18 0 L -13 14 M 7 -16 L 18 -2 L 22 10")


def children(canvas: Canvas) -> None:
    canvas.disc("black", 11, -14, 7)
    canvas.fill("black", points([3, -5, 18, -5, 20, 28, 4, 28]))
    _limbs(canvas, 7.5, "M 8 26 L 3 44 L -6 62 M 15 26 L 30 42 L 46 56")
    _limbs(canvas, 6.0, "M 6 -1 L -6 12 L -15 20 M 16 -1 L 28 10 L 36 4")
    canvas.disc("black", -26, 8, 6)
    canvas.fill("black", points([-33, 15, -20, 15, -18, 42, -34, 42]))
    _limbs(canvas, 6.0, "M -30 40 L -33 52 L -42 62 M -22 40 L -14 52 L -12 63")
    _limbs(canvas, 5.0, "M -31 18 L -41 29 M -22 18 L -14 24")


def bicycle(canvas: Canvas) -> None:
    for x in (-31, 31):
        canvas.line("black", 4.0, arc(x, 43, 18, 0, 360))
    frame = "M -31 43 L -14 14 L 17 14 L -3 42 L -14 14 M -31 43 L -3 42 M 31 43 L 14 3"
    canvas.line("black", 4.5, *path(frame), round_ends=True)
    canvas.line("black", 4.5, *path("M 14 3 L 24 2 M -17 6 L -14 14 M -24 5 L -9 5"), round_ends=True)
    canvas.disc("black", -3, 42, 5)


def snow(canvas: Canvas) -> None:
    for degrees in range(0, 360, 60):
        arm = path("M 0 0 L 0 -31 M -9 -30 L 0 -20 L 9 -30 M -7 -17 L 0 -9 L 7 -17")
        canvas.line("black", 5.0, *[place(line, 1, 0, 28, degrees) for line in arm])


def deer(canvas: Canvas) -> None:
    (body,) = path(
        "M -26 -19 L -17 -26 L -8 -29 L -4 -23 L -1 -8 C 4 4 16 8 28 16 L 36 14 L 34 22 C 40 30 40 36 44 44"
        " L 57 62 L 50 64 L 33 45 L 22 36 L 32 52 L 26 56 L 12 37 L 0 28 L -10 20 L -27 19 L -34 27 L -38 23 L -30 12"
        " L -14 11 C -18 4 -14 -6 -13 -14 L -22 -14 Z"
    )
    canvas.fill("black", body)
    canvas.line("black", 3.0, *path("M -10 -27 C -14 -34 -12 -38 -15 -44 M -8 -28 C -6 -34 -2 -36 -3 -43 M -12 -36 L -19 -39"))


def _limbs(canvas: Canvas, width: float, text: str) -> None:
    lines: list[Points] = path(text)
    canvas.line("black", width, *lines, round_ends=True)
