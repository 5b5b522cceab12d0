"""All 43 sign faces: the board of each family and its symbol. Coordinates range from -100 to 100, y down."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from engine.data.generated import arrows, hazards, vehicles
from engine.data.generated.canvas import Canvas, inset
from engine.data.generated.geometry import place, points, regular
from engine.data.generated.glyphs import write

Face = Callable[[Canvas], None]

_TRIANGLE = points([0, -96, 106, 88, -106, 88])
_CENTROID = (0.0, 26.7)
_INRADIUS = 61.3


def _warning(pictogram: Face, canvas: Canvas) -> None:
    _triangle(canvas, "white", 0, 9)
    _triangle(canvas, "red", 4, 6)
    _triangle(canvas, "white", 21.5, 2)
    pictogram(canvas)


def _triangle(canvas: Canvas, ink: str, margin: float, radius: float, turned: bool = False) -> None:
    shape = inset(_TRIANGLE, _CENTROID, 1.0 - (margin + radius) / _INRADIUS)
    canvas.rounded(ink, shape * np.array([1.0, -1.0]) if turned else shape, radius)


def _yield(canvas: Canvas) -> None:
    _triangle(canvas, "white", 0, 9, turned=True)
    _triangle(canvas, "red", 3, 7, turned=True)
    _triangle(canvas, "white", 25, 2, turned=True)


def _prohibition(pictogram: Face, canvas: Canvas) -> None:
    canvas.disc("white", 0, 0, 100)
    canvas.disc("red", 0, 0, 97)
    canvas.disc("white", 0, 0, 70)
    pictogram(canvas)


def _limit(text: str, canvas: Canvas) -> None:
    if len(text) == 2:
        write(canvas, "black", text, height=80, width=1.03, weight=13.5, gap=11)
    else:
        write(canvas, "black", text, height=82, width=0.76, weight=12, gap=10)


def _end(pictogram: Face, canvas: Canvas) -> None:
    canvas.disc("grey", 0, 0, 100)
    canvas.disc("white", 0, 0, 96)
    pictogram(canvas)
    bars, board = Canvas(canvas.resolution), Canvas(canvas.resolution)
    for offset in (-18, -9, 0, 9, 18):
        bars.fill("black", place(points([-120, offset - 2.2, 120, offset - 2.2, 120, offset + 2.2, -120, offset + 2.2]), degrees=-45))
    board.disc("black", 0, 0, 96)
    bars.keep(board)
    canvas.inside("black", bars)


def _mandatory(pictogram: Face, canvas: Canvas) -> None:
    canvas.disc("white", 0, 0, 100)
    canvas.disc("blue", 0, 0, 95)
    pictogram(canvas)


def _priority_road(canvas: Canvas) -> None:
    for ink, half, radius in (("white", 104, 9), ("black", 100, 8), ("white", 95, 7), ("black", 66, 3), ("yellow", 62, 3)):
        canvas.rounded(ink, regular(4, half - radius * 1.414, 0), radius)


def _stop(canvas: Canvas) -> None:
    canvas.rounded("white", regular(8, 103, 22.5), 4)
    canvas.rounded("red", regular(8, 99, 22.5), 2.5)
    write(canvas, "white", "STOP", height=66, width=0.98, weight=15.5, gap=9)


def _no_entry(canvas: Canvas) -> None:
    canvas.disc("white", 0, 0, 100)
    canvas.disc("red", 0, 0, 96)
    canvas.fill("white", points([-74, -17, 74, -17, 74, 17, -74, 17]))


def _nothing(canvas: Canvas) -> None:
    """Draw nothing, for the empty face of a sign."""


def _grey_limit(canvas: Canvas) -> None:
    write(canvas, "grey", "80", height=96, width=0.98, weight=14, gap=10)


FACES: tuple[Face, ...] = (
    *[partial(_prohibition, partial(_limit, text)) for text in ("20", "30", "50", "60", "70", "80")],
    partial(_end, _grey_limit),
    *[partial(_prohibition, partial(_limit, text)) for text in ("100", "120")],
    partial(_prohibition, partial(vehicles.overtaking, left="red", right="black")),
    partial(_prohibition, partial(vehicles.overtaking_by_lorries, left="red", right="black")),
    partial(_warning, hazards.right_of_way),
    _priority_road,
    _yield,
    _stop,
    partial(_prohibition, _nothing),
    partial(_prohibition, vehicles.lorry),
    _no_entry,
    partial(_warning, hazards.danger),
    partial(_warning, partial(arrows.bend, left=True)),
    partial(_warning, partial(arrows.bend, left=False)),
    partial(_warning, arrows.double_bend),
    partial(_warning, hazards.bumps),
    partial(_warning, hazards.slippery),
    partial(_warning, hazards.narrows),
    partial(_warning, hazards.road_works),
    partial(_warning, hazards.signals),
    partial(_warning, hazards.pedestrian),
    partial(_warning, hazards.children),
    partial(_warning, hazards.bicycle),
    partial(_warning, hazards.snow),
    partial(_warning, hazards.deer),
    partial(_end, _nothing),
    partial(_mandatory, partial(arrows.turn, left=False)),
    partial(_mandatory, partial(arrows.turn, left=True)),
    partial(_mandatory, arrows.ahead),
    partial(_mandatory, partial(arrows.straight_or_turn, left=False)),
    partial(_mandatory, partial(arrows.straight_or_turn, left=True)),
    partial(_mandatory, partial(arrows.keep, left=False)),
    partial(_mandatory, partial(arrows.keep, left=True)),
    partial(_mandatory, arrows.roundabout),
    partial(_end, partial(vehicles.overtaking, left="grey", right="grey")),
    partial(_end, partial(vehicles.overtaking_by_lorries, left="grey", right="grey")),
)
"""The functions that draw each class of `engine.data.generated.SIGN_LABELS`, in its order."""


@lru_cache(maxsize=2 * len(FACES))
def face(label: int, resolution: int) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Return the inks of one sign and their share of every pixel, uint8 ``(inks, resolution, resolution)``; cached."""
    canvas = Canvas(resolution)
    FACES[label](canvas)
    used, shares = canvas.coverage()
    shares.setflags(write=False)
    return used, shares
