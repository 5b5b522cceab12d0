"""Edits of stickers by key, button or number: pure functions from a board to a draft, None where there is nothing to do. No Qt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gui.canvas.tools import CLAMPED, Board, Draft, called, swapped

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker

_VERBS = {"x": "Move", "y": "Move", "opacity": "Change opacity of"}


def chosen(board: Board) -> Sticker | None:
    """The selected sticker."""
    return next((sticker for sticker in board.stickers if sticker.id == board.selected), None)


def nudge(board: Board, dx: int, dy: int) -> Draft | None:
    """Move the selected sticker by whole pixels."""
    from engine.stickers import moved

    sticker = chosen(board)
    return None if sticker is None else _adjusted(board, sticker, moved(sticker, dx, dy), "Move")


def set_number(board: Board, name: str, value: float) -> Draft | None:
    """Give the selected sticker another place, size (in pixels) or opacity (0 to 1)."""
    sticker = chosen(board)
    if sticker is None:
        return None
    numbers: dict[str, Any] = {name: value if name == "opacity" else round(value)}
    return _adjusted(board, sticker, replace(sticker, **numbers), _VERBS.get(name, "Resize"))


def _adjusted(board: Board, before: Sticker, wanted: Sticker, verb: str) -> Draft:
    from engine.stickers import kept_on_image

    kept = kept_on_image(wanted, board.height, board.width)
    notice = CLAMPED if kept != wanted else ""
    return Draft(swapped(board.stickers, kept), board.selected, f"{verb} {called(before)}", notice)


def set_content(board: Board, id: int, content: Content) -> Draft | None:
    """Give the sticker of that id its content; the selection stays."""
    sticker = next((sticker for sticker in board.stickers if sticker.id == id), None)
    if sticker is None:
        return None
    return Draft(swapped(board.stickers, replace(sticker, content=content)), board.selected, f"Change content of {called(sticker)}")


def delete(board: Board) -> Draft | None:
    """Remove the selected sticker."""
    sticker = chosen(board)
    if sticker is None:
        return None
    return Draft(tuple(other for other in board.stickers if other.id != sticker.id), None, f"Delete {called(sticker)}")


def add_copy(board: Board, sticker: Sticker, verb: str) -> Draft:
    """Put a copy on top, a little aside where it would lie exactly over another."""
    from engine.stickers import kept_on_image, moved, next_id

    step = max(1, min(board.width, board.height) // 16)
    copy = replace(sticker, id=next_id(board.stickers), name="")
    taken = {(other.x, other.y, other.width, other.height) for other in board.stickers}
    for _ in range(len(board.stickers)):
        if (copy.x, copy.y, copy.width, copy.height) in taken:
            copy = moved(copy, step, step)
    copy = kept_on_image(copy, board.height, board.width)
    return Draft((*board.stickers, copy), copy.id, f"{verb} {called(sticker)}")


def duplicate(board: Board) -> Draft | None:
    """Put a copy of the selected sticker beside it."""
    sticker = chosen(board)
    return None if sticker is None else add_copy(board, sticker, "Duplicate")


def restack(board: Board, by: int) -> Draft | None:
    """Move the selected sticker ``by`` places up (towards the top) or down."""
    from engine.stickers import reordered

    sticker = chosen(board)
    if sticker is None:
        return None
    verb = "Raise" if by > 0 else "Lower"
    return Draft(reordered(board.stickers, sticker.id, by), sticker.id, f"{verb} {called(sticker)}")


def neighbour(board: Board, by: int) -> int | None:
    """The id of the next sticker in z-order, round and round."""
    ids = [sticker.id for sticker in board.stickers]
    if not ids:
        return None
    if board.selected not in ids:
        return ids[0] if by > 0 else ids[-1]
    return ids[(ids.index(board.selected) + by) % len(ids)]
