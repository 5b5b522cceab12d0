"""The tool that selects, moves, resizes and rotates stickers; on empty canvas it pans, clears the selection or draws a selecting band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gui.canvas.tools.panning import pan_from
from gui.canvas.tools.picking import Grip, grips, hit_at
from gui.canvas.tools.protocol import (
    Board,
    Draft,
    Drag,
    Pointer,
    Sketch,
    name_in_sentence,
    names_in_sentence,
    travelled,
    unchanged,
    with_sticker,
)

if TYPE_CHECKING:
    from engine.stickers import Handle, Sticker

CLAMPED = "The sticker stays partly on the image. Press Delete to remove it."


def select(pointer: Pointer, board: Board) -> Drag:
    """Move, resize or rotate what is under the mouse; Ctrl adds it to the selection or takes it out.

    Elsewhere a drag pans, with Shift it selects what lies under a band, and a click clears the selection.
    """
    target = hit_at(pointer, board)
    if target is None:
        return (yield from (_band if pointer.shift else _pan_or_deselect)(pointer, board))
    handle = target.handle
    if handle == "turn" or handle == "turn_below":
        return (yield from _turn(pointer, board, target.sticker, handle))
    if handle is not None:
        return (yield from _resize(pointer, board, target.sticker, handle))
    if pointer.ctrl:
        return (yield from _toggle(pointer, board, target.sticker))
    return (yield from _move(pointer, board, target.sticker))


def _move(pointer: Pointer, board: Board, sticker: Sticker) -> Drag:
    """Move the sticker, with all others that are selected if it is one of them; a click selects it alone."""
    start = pointer
    together = sticker in board.chosen
    lead, also = (board.selected, board.also) if together else (sticker.id, frozenset())
    moving = board.chosen if together else (sticker,)
    draft = Draft(board.stickers, lead, also=also)
    while pointer.kind != "release":
        pointer = yield draft
        if pointer.kind == "cancel":
            return None
        if draft.stickers is not board.stickers or travelled(start, pointer):
            draft = shifted(board, moving, pointer.x - start.x, pointer.y - start.y)
            draft = replace(draft, selected=lead, also=also)
    return Draft(board.stickers, sticker.id) if draft.stickers is board.stickers else draft


def shifted(board: Board, stickers: tuple[Sticker, ...], dx: float, dy: float) -> Draft:
    """Return the draft that moves unlocked stickers by one and the same way, as far as all of them stay partly on the image."""
    from engine.stickers import kept_on_image, moved

    free = [sticker for sticker in stickers if not sticker.locked]
    wanted = [moved(sticker, dx, dy) for sticker in free]
    back = [(kept.x - there.x, kept.y - there.y) for there in wanted if (kept := kept_on_image(there, board.height, board.width))]
    x, y = (max(ways, key=abs, default=0) for ways in ([each[0] for each in back], [each[1] for each in back]))
    after = board.stickers
    for sticker in wanted:
        after = with_sticker(after, replace(sticker, x=sticker.x + x, y=sticker.y + y))
    return Draft(after, board.selected, f"Move {names_in_sentence(tuple(free) or stickers)}", CLAMPED if x or y else "", board.also)


def _resize(pointer: Pointer, board: Board, sticker: Sticker, handle: Handle) -> Drag:
    from engine.stickers import handle_position, resized

    # The offset between mouse and handle at the press is kept, so that the handle does not jump.
    at = handle_position(sticker, handle)
    start, dx, dy = pointer, at[0] - pointer.x, at[1] - pointer.y
    draft = Draft(board.stickers, sticker.id)
    while pointer.kind != "release":
        pointer = yield draft
        if pointer.kind == "cancel":
            return None
        if draft.stickers is not board.stickers or travelled(start, pointer):  # a click leaves edges between pixels where they are
            pulled = resized(sticker, handle, pointer.x + dx, pointer.y + dy, keep_aspect=pointer.shift)
            draft = placed(board, sticker, pulled, "Resize")
    return draft


def _turn(pointer: Pointer, board: Board, sticker: Sticker, grip: Grip) -> Drag:
    """Rotate the sticker about its middle. Angles are measured from the press, so that errors do not add up."""
    from engine.stickers import pointed

    start, draft = pointer, Draft(board.stickers, sticker.id)
    at = grips(sticker, pointer.pixel, board.height, board.width)[grip]
    dx, dy = at[0] - pointer.x, at[1] - pointer.y
    way = -1 if grip == "turn_below" else 1
    while pointer.kind != "release":
        pointer = yield draft
        if pointer.kind == "cancel":
            return None
        if draft.stickers is not board.stickers or travelled(start, pointer):
            x, y = sticker.centre
            there = x + way * (pointer.x + dx - x), y + way * (pointer.y + dy - y)
            draft = placed(board, sticker, pointed(sticker, *there, snapped=pointer.shift), "Rotate")
    return draft


def placed(board: Board, before: Sticker, after: Sticker, verb: str) -> Draft:
    """Return the draft with a changed sticker, shifted so that it stays partly on the image."""
    from engine.stickers import kept_on_image

    kept = kept_on_image(after, board.height, board.width)
    notice = CLAMPED if kept != after else ""
    return Draft(with_sticker(board.stickers, kept), kept.id, f"{verb} {name_in_sentence(before)}", notice)


# ---------------------------------------------------------------------- selecting


def toggled(board: Board, id: int) -> Draft:
    """Return the draft with a sticker added to the selection, or taken out of it."""
    ids = {sticker.id for sticker in board.chosen}
    if id not in ids:
        return Draft(board.stickers, id, also=frozenset(ids))
    rest = ids - {id}
    lead = board.selected if board.selected in rest else max(rest, default=None)
    return Draft(board.stickers, lead, also=frozenset(rest - {lead}))


def _toggle(pointer: Pointer, board: Board, sticker: Sticker) -> Drag:
    draft = toggled(board, sticker.id)
    while pointer.kind != "release":
        pointer = yield draft
        if pointer.kind == "cancel":
            return unchanged(board)
    return draft


def _band(pointer: Pointer, board: Board) -> Drag:
    """Select the visible, unlocked stickers that a rectangle over the canvas touches, in addition to those selected before."""
    start = pointer
    while True:
        left, right = sorted((start.x, pointer.x))
        top, bottom = sorted((start.y, pointer.y))
        under = {sticker.id for sticker in board.stickers if _touched(sticker, left, top, right, bottom)}
        ids = {sticker.id for sticker in board.chosen} | (under if travelled(start, pointer) else set())
        lead = board.selected if board.selected in ids else max(ids, default=None)
        draft = Draft(board.stickers, lead, also=frozenset(ids - {lead}), sketch=Sketch(band=(left, top, right, bottom)))
        if pointer.kind == "release":
            return draft
        pointer = yield draft
        if pointer.kind == "cancel":
            return unchanged(board)


def _touched(sticker: Sticker, left: float, top: float, right: float, bottom: float) -> bool:
    if sticker.locked or not sticker.visible:
        return False
    x, y, end_x, end_y = sticker.outer
    return x < right and y < bottom and end_x > left and end_y > top


def _pan_or_deselect(pointer: Pointer, board: Board) -> Drag:
    start = pointer
    while not travelled(start, pointer):
        pointer = yield unchanged(board)
        if pointer.kind == "release":
            return Draft(board.stickers, None)
        if pointer.kind == "cancel":
            return None
    return (yield from pan_from(start, pointer))
