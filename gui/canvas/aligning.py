"""Aligning stickers with each other or with the image: pure functions from a board to a draft. No Qt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from gui.canvas.tools import Board, Draft, names_in_sentence, with_sticker

if TYPE_CHECKING:
    from engine.stickers import Sticker

Edge = Literal["left", "centre", "right", "top", "middle", "bottom"]
EDGES: dict[Edge, tuple[int, float]] = {
    "left": (0, 0.0),
    "centre": (0, 0.5),
    "right": (0, 1.0),
    "top": (1, 0.0),
    "middle": (1, 0.5),
    "bottom": (1, 1.0),
}
"""For each edge its axis, 0 across and 1 down, and its place along it as a share."""


def align(board: Board, edge: Edge, *, on_image: bool = False) -> Draft | None:
    """Bring an edge of all selected stickers to that of the box around them, or to that of the image, which holds for a single one, too.

    Locked stickers stay where they are, but the box is around them, too. Upright stickers on whole pixels stay on whole pixels.
    """
    chosen = board.chosen
    free = tuple(sticker for sticker in chosen if not sticker.locked)
    if not free:
        return None
    axis, share = EDGES[edge]
    if on_image or len(chosen) == 1:
        low, high = 0.0, float((board.width, board.height)[axis])
    else:
        spans = [_span(sticker, axis) for sticker in chosen]
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    after = board.stickers
    for sticker in free:
        begin, end = _span(sticker, axis)
        by = low + share * (high - low) - (begin + share * (end - begin))
        after = with_sticker(after, _shifted(sticker, axis, by))
    return Draft(after, board.selected, f"Align {names_in_sentence(free)}", also=board.also)


def _shifted(sticker: Sticker, axis: int, by: float) -> Sticker:
    way = math.floor(by + 0.5) if sticker.on_pixels else by
    return replace(sticker, x=sticker.x + way) if axis == 0 else replace(sticker, y=sticker.y + way)


def _span(sticker: Sticker, axis: int) -> tuple[float, float]:
    """Return where the rotated box begins and ends along an axis, in pixels."""
    from engine.stickers import to_image

    places = [to_image(sticker, u, v)[axis] for u in (0.0, 1.0) for v in (0.0, 1.0)]
    return min(places), max(places)
