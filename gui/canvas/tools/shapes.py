"""The tools that draw shapes: rectangle and ellipse between two corners, and the polygon corner by corner."""

from __future__ import annotations

import math

from gui.canvas.tools.picking import REACH
from gui.canvas.tools.protocol import SLACK, Board, Draft, Drag, Pointer, Sketch, name_in_sentence, overlaps, travelled, unchanged

MISSED = "Draw the sticker on the image: it has to cover at least one of its pixels."


def draw(kind: str, pointer: Pointer, board: Board) -> Drag:
    """Draw a sticker of a shape between two corners of its box; Shift makes the box square, and a click makes it a single pixel."""
    from engine.stickers import SHAPES, between, next_id

    start, shape = pointer, SHAPES[kind]()
    content = board.new_content() if board.new_content else None
    while True:
        corners = (start.x, start.y), (pointer.x, pointer.y)
        drawn = between(next_id(board.stickers), *corners, square=pointer.shift, content=content, shape=shape)
        stickers = (*board.stickers, drawn) if overlaps(drawn, board) else board.stickers
        if pointer.kind == "release":
            break
        pointer = yield Draft(stickers, board.selected, also=board.also)
        if pointer.kind == "cancel":
            return None
    if stickers == board.stickers:
        return unchanged(board, MISSED)
    return Draft(stickers, drawn.id, f"Draw {name_in_sentence(drawn)}")


def polygon(pointer: Pointer, board: Board) -> Drag:
    """Set a corner with each click, or at the end of a drag; with Shift the side is horizontal, vertical or diagonal.

    A double click, Enter or a click on the first corner ends the polygon; Backspace takes the last corner back, and Esc gives up. A
    polygon that covers nothing is not ended, so that no corner is lost.
    """
    corners, pressed, notice = [pointer.place], pointer, ""
    while True:
        sketch = Sketch(line=(*corners, _straight(corners[-1], pointer)), closes=len(corners) > 2)
        pointer = yield unchanged(board, notice, sketch)
        ends, notice = False, ""
        if pointer.kind == "cancel":
            return None
        if pointer.kind == "key":
            ends = pointer.key == "end"
            if pointer.key == "back":
                corners.pop()
        elif pointer.kind == "click" or (pointer.kind == "release" and travelled(pressed, pointer)):
            pressed = pointer
            ends = _closes(pointer, corners)
            corner = _straight(corners[-1], pointer)
            if not ends and math.dist(corner, corners[-1]) > SLACK * pointer.pixel:
                corners.append(corner)
        if not corners:
            return None
        if ends:
            made = _made(corners, board)
            if isinstance(made, Draft):
                return made
            notice = made


def _straight(last: tuple[float, float], pointer: Pointer) -> tuple[float, float]:
    """Return the place of the mouse; with Shift the nearest one on a line from the last corner in one of eight directions."""
    if not pointer.shift:
        return pointer.place
    dx, dy = pointer.x - last[0], pointer.y - last[1]
    turn = round(math.atan2(dy, dx) / (math.pi / 4)) * math.pi / 4
    length = dx * math.cos(turn) + dy * math.sin(turn)
    return last[0] + length * math.cos(turn), last[1] + length * math.sin(turn)


def _closes(pointer: Pointer, corners: list[tuple[float, float]]) -> bool:
    """Return whether a click ends the polygon: a double click, or one on its first corner."""
    return pointer.double or (len(corners) > 2 and math.dist(pointer.place, corners[0]) <= REACH * pointer.pixel)


def _made(corners: list[tuple[float, float]], board: Board) -> Draft | str:
    """Return the draft with the polygon, or the sentence that says why there is none."""
    from engine.errors import GibbonError
    from engine.stickers import around, next_id

    content = board.new_content() if board.new_content else None
    try:
        drawn = around(next_id(board.stickers), corners, content=content)
    except GibbonError as error:
        return str(error)
    if not overlaps(drawn, board):
        return MISSED
    return Draft((*board.stickers, drawn), drawn.id, f"Draw {name_in_sentence(drawn)}")
