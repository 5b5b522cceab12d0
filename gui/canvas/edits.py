"""Edits of stickers by key, button or number: pure functions from a board to a draft, or to None if nothing changes. No Qt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gui.canvas.tools import CLAMPED, Board, Draft, name_in_sentence, with_sticker

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker

_VERBS = {"x": "Move", "y": "Move", "opacity": "Change opacity of"}


def selected_sticker(board: Board) -> Sticker | None:
    """Return the selected sticker; None if none is selected."""
    return next((sticker for sticker in board.stickers if sticker.id == board.selected), None)


def nudge(board: Board, dx: int, dy: int) -> Draft | None:
    """Move the selected sticker by whole pixels."""
    from engine.stickers import moved

    sticker = selected_sticker(board)
    return None if sticker is None else _adjusted(board, sticker, moved(sticker, dx, dy), "Move")


def set_number(board: Board, name: str, value: float) -> Draft | None:
    """Set a number of the selected sticker: place and size in pixels, or opacity in [0, 1]."""
    sticker = selected_sticker(board)
    if sticker is None:
        return None
    numbers: dict[str, Any] = {name: value if name == "opacity" else round(value)}
    return _adjusted(board, sticker, replace(sticker, **numbers), _VERBS.get(name, "Resize"))


def _adjusted(board: Board, before: Sticker, wanted: Sticker, verb: str) -> Draft:
    from engine.stickers import kept_on_image

    kept = kept_on_image(wanted, board.height, board.width)
    notice = CLAMPED if kept != wanted else ""
    return Draft(with_sticker(board.stickers, kept), board.selected, f"{verb} {name_in_sentence(before)}", notice)


def set_content(board: Board, id: int, content: Content) -> Draft | None:
    """Set the content of a sticker; the selection stays."""
    sticker = next((sticker for sticker in board.stickers if sticker.id == id), None)
    if sticker is None:
        return None
    return Draft(
        with_sticker(board.stickers, replace(sticker, content=content)), board.selected, f"Change content of {name_in_sentence(sticker)}"
    )


def delete(board: Board) -> Draft | None:
    """Remove the selected sticker."""
    sticker = selected_sticker(board)
    if sticker is None:
        return None
    return Draft(tuple(other for other in board.stickers if other.id != sticker.id), None, f"Delete {name_in_sentence(sticker)}")


def add_copy(board: Board, sticker: Sticker, verb: str) -> Draft:
    """Add a copy as the topmost sticker, shifted if it would exactly cover another one."""
    from engine.stickers import kept_on_image, moved, next_id

    step = max(1, min(board.width, board.height) // 16)
    copy = replace(sticker, id=next_id(board.stickers), name="")
    taken = {(other.x, other.y, other.width, other.height) for other in board.stickers}
    for _ in range(len(board.stickers)):
        if (copy.x, copy.y, copy.width, copy.height) in taken:
            copy = moved(copy, step, step)
    copy = kept_on_image(copy, board.height, board.width)
    return Draft((*board.stickers, copy), copy.id, f"{verb} {name_in_sentence(sticker)}")


def add_new(board: Board, kind: str) -> Draft:
    """Add a sticker of a shape in the middle of the image, a quarter as wide and high, and select it."""
    from engine.stickers import SHAPES, between, next_id

    width, height = max(1, board.width // 4), max(1, board.height // 4)
    x, y = (board.width - width) // 2, (board.height - height) // 2
    content = board.new_content() if board.new_content else None
    corners = (x + 0.5, y + 0.5), (x + width - 0.5, y + height - 0.5)
    drawn = between(next_id(board.stickers), *corners, square=False, content=content, shape=SHAPES[kind]())
    return Draft((*board.stickers, drawn), drawn.id, f"Draw {name_in_sentence(drawn)}")


def duplicate(board: Board) -> Draft | None:
    """Put a copy of the selected sticker beside it."""
    sticker = selected_sticker(board)
    return None if sticker is None else add_copy(board, sticker, "Duplicate")


def restack(board: Board, by: int) -> Draft | None:
    """Move the selected sticker ``by`` places up (towards the top) or down."""
    from engine.stickers import reordered

    sticker = selected_sticker(board)
    if sticker is None:
        return None
    verb = "Raise" if by > 0 else "Lower"
    return Draft(reordered(board.stickers, sticker.id, by), sticker.id, f"{verb} {name_in_sentence(sticker)}")


def neighbour(board: Board, by: int) -> int | None:
    """Return the id of the sticker ``by`` places further in z-order, cyclically."""
    ids = [sticker.id for sticker in board.stickers]
    if not ids:
        return None
    if board.selected not in ids:
        return ids[0] if by > 0 else ids[-1]
    return ids[(ids.index(board.selected) + by) % len(ids)]
