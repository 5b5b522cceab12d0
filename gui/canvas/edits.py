"""Edits of stickers by key, button or number: pure functions from a board to a draft, or to None if nothing changes. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from gui.canvas.tools import CLAMPED, Board, Draft, name_in_sentence, names_in_sentence, placed, shifted, unchanged, with_sticker

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker

Switch = Literal["locked", "visible"]

_VERBS = {"x": "Move", "y": "Move", "angle": "Rotate"}
_SWITCHES = {("locked", True): "Lock", ("locked", False): "Unlock", ("visible", True): "Show", ("visible", False): "Hide"}


def selected_sticker(board: Board) -> Sticker | None:
    """Return the selected sticker, of several the one that was selected last; None if none is selected."""
    return next((sticker for sticker in board.stickers if sticker.id == board.selected), None)


def nudge(board: Board, dx: int, dy: int) -> Draft | None:
    """Move the selected stickers by whole pixels."""
    return _of_free(board, lambda free: shifted(board, free, dx, dy))


def set_number(board: Board, name: str, value: float) -> Draft | None:
    """Set a number: the opacity in [0, 1] of all selected stickers, or place and size in pixels or the angle in degrees of one."""
    if name == "opacity":
        return _each(board, board.chosen, lambda sticker: replace(sticker, opacity=value), "Change opacity of")
    sticker = selected_sticker(board)
    if sticker is None:
        return None
    if sticker.locked:
        return unchanged(board, _locked((sticker,)))
    between = name == "angle" or (name in ("x", "y") and sticker.angle != 0)
    numbers: dict[str, Any] = {name: value if between else round(value)}
    return replace(placed(board, sticker, replace(sticker, **numbers), _VERBS.get(name, "Resize")), also=board.also)


def snap(board: Board) -> Draft | None:
    """Round the edges of the selected stickers to whole pixels."""
    from engine.stickers import on_whole_pixels

    return _of_free(board, lambda free: _each(board, free, on_whole_pixels, "Snap"))


def set_content(board: Board, id: int, content: Content) -> Draft | None:
    """Set the content of a sticker; the selection stays."""
    return _one(board, id, lambda sticker: replace(sticker, content=content), "Change content of")


def rename(board: Board, id: int, name: str) -> Draft | None:
    """Set the name of a sticker; the selection stays. An empty name gives it its number again."""
    return _one(board, id, lambda sticker: replace(sticker, name=name.strip()), "Rename")


def switch(board: Board, ids: Sequence[int], what: Switch, on: bool | None = None) -> Draft | None:
    """Lock, unlock, hide or show stickers. For None they all become the opposite of what the first of them is."""
    chosen = tuple(sticker for sticker in board.stickers if sticker.id in ids)
    if not chosen:
        return None
    value = not getattr(chosen[0], what) if on is None else on
    fields: dict[str, Any] = {what: value}
    return _each(board, chosen, lambda sticker: replace(sticker, **fields), _SWITCHES[what, value])


def delete(board: Board) -> Draft | None:
    """Remove the selected stickers."""

    def without(free: tuple[Sticker, ...]) -> Draft:
        gone = {sticker.id for sticker in free}
        return Draft(tuple(other for other in board.stickers if other.id not in gone), None, f"Delete {names_in_sentence(free)}")

    return _of_free(board, without)


def add_copies(board: Board, stickers: Sequence[Sticker], verb: str, *, named: bool = False) -> Draft:
    """Add copies as the topmost stickers, shifted together if they would exactly cover others; ``named`` keeps names that are free."""
    from engine.stickers import kept_on_image, moved, next_id

    step = max(1, min(board.width, board.height) // 16)
    taken = {(other.x, other.y, other.width, other.height, other.angle) for other in board.stickers}
    shift = 0
    while any((each.x + shift, each.y + shift, each.width, each.height, each.angle) in taken for each in stickers):
        shift += step
    names, after = {other.name for other in board.stickers}, board.stickers
    ids: list[int] = []
    for each in stickers:
        name = each.name if named and each.name not in names else ""
        copy = moved(replace(each, id=next_id(after), name=name, locked=False), shift, shift)
        after, ids = (*after, kept_on_image(copy, board.height, board.width)), [*ids, copy.id]
    return Draft(after, ids[-1], f"{verb} {names_in_sentence(tuple(stickers))}", also=frozenset(ids[:-1]))


def add_new(board: Board, kind: str) -> Draft:
    """Add a sticker of a shape in the middle of the image, a quarter as wide and high, and select it."""
    from engine.stickers import SHAPES, between, next_id
    from engine.stickers.brushing import disc

    width, height = max(1, board.width // 4), max(1, board.height // 4)
    x, y = (board.width - width) // 2, (board.height - height) // 2
    content, id = board.new_content() if board.new_content else None, next_id(board.stickers)
    if kind == "brush":
        drawn = disc(id, board.height, board.width, max(1, min(width, height) // 2), content)
    else:
        corners = (x + 0.5, y + 0.5), (x + width - 0.5, y + height - 0.5)
        drawn = between(id, *corners, square=False, content=content, shape=SHAPES[kind]())
    return Draft((*board.stickers, drawn), drawn.id, f"Draw {name_in_sentence(drawn)}")


def duplicate(board: Board) -> Draft | None:
    """Put copies of the selected stickers beside them."""
    return add_copies(board, board.chosen, "Duplicate") if board.chosen else None


def restack(board: Board, by: int) -> Draft | None:
    """Move the selected stickers ``by`` places up (towards the top) or down; among each other they keep their order."""
    chosen, after = board.chosen, board.stickers
    if not chosen:
        return None
    ids = {sticker.id for sticker in chosen}
    for _ in range(min(abs(by), len(after))):
        order = list(reversed(after)) if by > 0 else list(after)
        for place, sticker in enumerate(order):
            if sticker.id in ids and place > 0 and order[place - 1].id not in ids:
                order[place - 1], order[place] = order[place], order[place - 1]
        moved = tuple(reversed(order)) if by > 0 else tuple(order)
        if moved == after:
            break
        after = moved
    return Draft(after, board.selected, f"{'Raise' if by > 0 else 'Lower'} {names_in_sentence(chosen)}", also=board.also)


def select_all(board: Board) -> Draft | None:
    """Select all visible stickers that are not locked."""
    ids = [sticker.id for sticker in board.stickers if sticker.visible and not sticker.locked]
    return Draft(board.stickers, ids[-1], also=frozenset(ids[:-1])) if ids else None


def neighbour(board: Board, by: int) -> int | None:
    """Return the id of the sticker ``by`` places further in z-order, cyclically."""
    ids = [sticker.id for sticker in board.stickers]
    if not ids:
        return None
    if board.selected not in ids:
        return ids[0] if by > 0 else ids[-1]
    return ids[(ids.index(board.selected) + by) % len(ids)]


# ---------------------------------------------------------------------- parts


def _of_free(board: Board, edit: Callable[[tuple[Sticker, ...]], Draft | None]) -> Draft | None:
    """Apply an edit to the selected stickers that are not locked; where all are, a notice says so."""
    chosen = board.chosen
    free = tuple(sticker for sticker in chosen if not sticker.locked)
    if not chosen:
        return None
    return edit(free) if free else unchanged(board, _locked(chosen))


def _each(board: Board, stickers: Sequence[Sticker], change: Callable[[Sticker], Sticker], verb: str) -> Draft | None:
    """Change stickers one by one, and keep those that would leave the image partly on it."""
    from engine.stickers import kept_on_image

    if not stickers:
        return None
    after, notice = board.stickers, ""
    for sticker in stickers:
        wanted = change(sticker)
        kept = kept_on_image(wanted, board.height, board.width)
        notice = notice or (CLAMPED if kept != wanted else "")
        after = with_sticker(after, kept)
    return Draft(after, board.selected, f"{verb} {names_in_sentence(tuple(stickers))}", notice, board.also)


def _one(board: Board, id: int, change: Callable[[Sticker], Sticker], verb: str) -> Draft | None:
    return _each(board, [sticker for sticker in board.stickers if sticker.id == id], change, verb)


def _locked(stickers: tuple[Sticker, ...]) -> str:
    name, verb = names_in_sentence(stickers), "is" if len(stickers) == 1 else "are"
    return f"{name[:1].upper()}{name[1:]} {verb} locked. Unlock with Ctrl+Shift+L, or by the padlock in the list."
