"""Finding the target under the mouse: a grip of the selected sticker, or a sticker. No Qt.

A grip is a handle of the box, or the one that rotates it. Grips keep their size and distance on the screen, so their places depend on the
zoom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gui.canvas.tools.protocol import Board, Pointer, Role

if TYPE_CHECKING:
    from engine.stickers import Sticker

Grip = Literal["nw", "n", "ne", "e", "se", "s", "sw", "w", "turn", "turn_below"]
TURNS: tuple[Grip, ...] = ("turn", "turn_below")
"""The grips that rotate: above the box, or below it where there is no image above."""

REACH = 8.0
"""The distance in screen pixels within which a press takes a grip."""
SIZE = 8.0
"""The side of a handle in screen pixels."""
ROOM = 3.5 * SIZE
"""The length in screen pixels from which an edge has a handle in its middle."""
TURN_GAP = 22.0
"""The distance in screen pixels between the box and the grip that rotates it."""

_ROLES: tuple[Role, ...] = ("vertical", "rising", "horizontal", "falling")
"""The cursors for directions of 0, 45, 90 and 135 degrees, clockwise from the top."""
_DIRECTIONS: dict[Grip, float] = {"n": 0, "ne": 45, "e": 90, "se": 135, "s": 180, "sw": 225, "w": 270, "nw": 315}


@dataclass(frozen=True)
class Target:
    """The sticker under the mouse, and its grip if one is near."""

    sticker: Sticker
    handle: Grip | None = None


def grips(sticker: Sticker, pixel: float, height: int, width: int) -> dict[Grip, tuple[float, float]]:
    """Return the places of a sticker's grips on an image of a height and width. A short edge has no handle in its middle."""
    across, down = sticker.width / pixel, sticker.height / pixel
    # Around a sticker that is small on the screen the handles are moved outwards, so that it stays visible.
    aside_x = (SIZE / 2 + 1) * pixel if across < ROOM else 0.0
    aside_y = (SIZE / 2 + 1) * pixel if down < ROOM else 0.0
    half_x, half_y = sticker.width / 2 + aside_x, sticker.height / 2 + aside_y
    places: dict[Grip, tuple[float, float]] = {}
    for handle in _DIRECTIONS:
        if len(handle) == 2 or (across if handle in "ns" else down) >= ROOM:
            dx = half_x * (("e" in handle) - ("w" in handle))
            places[handle] = _off_centre(sticker, dx, half_y * (("s" in handle) - ("n" in handle)))
    reach = half_y + TURN_GAP * pixel
    above, below = _off_centre(sticker, 0, -reach), _off_centre(sticker, 0, reach)
    if _within(above, height, width) or not _within(below, height, width):
        return {**places, "turn": above}
    return {**places, "turn_below": below}


def hit_at(pointer: Pointer, board: Board) -> Target | None:
    """Return the grip of the only selected sticker or the topmost sticker under the mouse; None if there is neither."""
    if not board.stickers:
        return None
    from engine.stickers import contains, find_hit

    chosen = board.only
    if chosen is not None and chosen.visible and not chosen.locked:
        reach = REACH * pointer.pixel
        if contains(chosen, pointer.x, pointer.y):
            # The middle of a sticker moves it, even if its handles are all within reach.
            reach = min(reach, 0.3 * min(chosen.width, chosen.height))
        places = grips(chosen, pointer.pixel, board.height, board.width)
        distance, grip = min((math.dist(pointer.place, at), grip) for grip, at in places.items())
        if distance <= reach:
            return Target(chosen, grip)
    hit = find_hit(board.stickers, pointer.x, pointer.y, 0.0)
    return None if hit is None else Target(hit.sticker)


def role_of(target: Target | None) -> Role:
    """Return the role of the cursor over a target: for a handle, the direction in which it pulls on the screen."""
    if target is None:
        return "arrow"
    if target.handle is None:
        return "move"
    if target.handle in TURNS:
        return "turn"
    return _ROLES[round((_DIRECTIONS[target.handle] + target.sticker.angle) / 45) % 4]


def _off_centre(sticker: Sticker, dx: float, dy: float) -> tuple[float, float]:
    """Return the point that lies by ``dx`` and ``dy`` off the middle of the box, in the box's own directions."""
    turn = math.radians(sticker.angle)
    x, y = sticker.centre
    return x + math.cos(turn) * dx - math.sin(turn) * dy, y + math.sin(turn) * dx + math.cos(turn) * dy


def _within(at: tuple[float, float], height: int, width: int) -> bool:
    return 0 <= at[0] <= width and 0 <= at[1] <= height
