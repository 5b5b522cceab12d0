"""The mouse tools. Each is a generator: press code, ``yield`` while the mouse moves, release code. No Qt, no state of its own.

A tool is called with the press and the board. Every ``yield`` passes out a draft or a pan to be shown, and receives the next pointer. The
draft that it returns is to be committed; None means no change, as after Esc.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Types only: importing these loads torch, but the window is painted before that.
    from engine.stickers import Content, Handle, Hit, Sticker

ToolName = Literal["select", "rectangle", "ellipse", "pan"]
Kind = Literal["press", "move", "release", "cancel"]
Role = Literal["arrow", "cross", "hand", "grab", "move", "horizontal", "vertical", "falling", "rising"]

REACH = 8.0
"""The distance in screen pixels within which a press takes a handle."""
SLACK = 3.0
"""The distance in screen pixels from which a press becomes a drag."""
CLAMPED = "The sticker stays partly on the image. Press Delete to remove it."
MISSED = "Draw the sticker on the image: it has to cover at least one of its pixels."
HANDLE_ROLES: dict[Handle, Role] = {
    "n": "vertical",
    "s": "vertical",
    "e": "horizontal",
    "w": "horizontal",
    "nw": "falling",
    "se": "falling",
    "ne": "rising",
    "sw": "rising",
}


@dataclass(frozen=True)
class Pointer:
    """One mouse event, in image pixels."""

    x: float
    y: float
    pixel: float
    """Image pixels per screen pixel."""
    shift: bool = False
    kind: Kind = "move"

    @property
    def cell(self) -> tuple[int, int]:
        """Return column and row of the pixel under the pointer."""
        return math.floor(self.x), math.floor(self.y)


@dataclass(frozen=True, eq=False)
class Board:
    """The input of a tool: stickers, selection, size of the image, content of new stickers."""

    stickers: tuple[Sticker, ...]
    selected: int | None
    height: int
    width: int
    new_content: Callable[[], Content] | None = None
    """Returns the content for a new sticker; None for a yellow one."""


@dataclass(frozen=True, eq=False)
class Draft:
    """The stickers and the selection that a gesture or an edit proposes."""

    stickers: tuple[Sticker, ...]
    selected: int | None
    text: str = ""
    """The name of the undo step."""
    notice: str = ""


@dataclass(frozen=True)
class Pan:
    """A move of the viewpoint by image pixels."""

    dx: float
    dy: float


@dataclass(frozen=True)
class Slide:
    """A move of the divider between two images by image pixels."""

    dx: float


Drag = Generator[Draft | Pan | Slide, Pointer, Draft | None]


@dataclass(frozen=True)
class Tool:
    """A mouse tool: its generator, its cursor, and whether it draws."""

    start: Callable[[Pointer, Board], Drag]
    """Returns the tool's generator for a press."""
    cursor: Role | None = None
    """The cursor over the image; None if it depends on what is under the mouse, see `role`."""
    draws: bool = False
    """Whether the tool draws a new sticker: no handles are shown, and the tool returns to ``select`` after one."""


def select(pointer: Pointer, board: Board) -> Drag:
    """Move or resize the sticker under the mouse; elsewhere a drag pans, and a click clears the selection."""
    hit = hit_at(pointer, board)
    if hit is None:
        return (yield from _pan_or_deselect(pointer, board))
    if hit.handle is None:
        return (yield from _move(pointer, board, hit.sticker))
    return (yield from _resize(pointer, board, hit.sticker, hit.handle))


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
        pointer = yield Draft(stickers, board.selected)
        if pointer.kind == "cancel":
            return None
    if stickers == board.stickers:
        return Draft(stickers, board.selected, notice=MISSED)
    return Draft(stickers, drawn.id, f"Draw {name_in_sentence(drawn)}")


def pan(pointer: Pointer, board: Board) -> Drag:
    """Pan: drag the image along with the mouse."""
    return (yield from _pan_from(pointer, pointer))


def slide(pointer: Pointer, board: Board) -> Drag:
    """Move the divider between two images along with the mouse; Esc takes it back to where it was."""
    start = last = pointer.x
    while pointer.kind in ("press", "move"):
        dx, last = pointer.x - last, pointer.x
        pointer = yield Slide(dx)
    if pointer.kind == "cancel":
        yield Slide(start - last)
    return None


TOOLS: dict[ToolName, Tool] = {
    "select": Tool(select),
    "rectangle": Tool(partial(draw, "rectangle"), "cross", draws=True),
    "ellipse": Tool(partial(draw, "ellipse"), "cross", draws=True),
    "pan": Tool(pan, "hand"),
}


def role(tool: ToolName, pointer: Pointer, board: Board) -> Role:
    """Return the role of the cursor at a position."""
    fixed = TOOLS[tool].cursor
    if fixed is not None:
        return fixed
    hit = hit_at(pointer, board)
    if hit is None:
        return "arrow"
    return HANDLE_ROLES[hit.handle] if hit.handle else "move"


def hit_at(pointer: Pointer, board: Board) -> Hit | None:
    """Return the handle of the selected sticker or the topmost sticker under the mouse; None if there is neither."""
    if not board.stickers:
        return None
    from engine.stickers import contains, find_hit

    reach = REACH * pointer.pixel
    chosen = next((sticker for sticker in board.stickers if sticker.id == board.selected), None)
    if chosen is not None and contains(chosen, pointer.x, pointer.y):
        # The middle of a sticker moves it, even if its handles are all within reach.
        reach = min(reach, 0.3 * min(chosen.width, chosen.height))
    return find_hit(board.stickers, pointer.x, pointer.y, reach, board.selected)


def with_sticker(stickers: tuple[Sticker, ...], new: Sticker) -> tuple[Sticker, ...]:
    """Return the stickers with the one of the same id replaced by ``new``."""
    return tuple(new if sticker.id == new.id else sticker for sticker in stickers)


def name_in_sentence(sticker: Sticker) -> str:
    """Return the sticker's name for use within a sentence."""
    return sticker.name or f"sticker {sticker.id}"


def overlaps(sticker: Sticker, board: Board) -> bool:
    """Return whether the sticker covers at least one pixel of the image."""
    left, top, right, bottom = sticker.outer
    return left < board.width and top < board.height and right > 0 and bottom > 0


def _move(pointer: Pointer, board: Board, sticker: Sticker) -> Drag:
    from engine.stickers import moved

    start = pointer
    draft = Draft(board.stickers, sticker.id)
    while pointer.kind != "release":
        pointer = yield draft
        if pointer.kind == "cancel":
            return None
        if draft.stickers is not board.stickers or _travelled(start, pointer):
            draft = _placed(board, sticker, moved(sticker, pointer.x - start.x, pointer.y - start.y), "Move")
    return draft


def _resize(pointer: Pointer, board: Board, sticker: Sticker, handle: Handle) -> Drag:
    from engine.stickers import handle_position, resized

    # The offset between mouse and handle at the press is kept, so that the handle does not jump.
    at = handle_position(sticker, handle)
    dx, dy = at[0] - pointer.x, at[1] - pointer.y
    draft = Draft(board.stickers, sticker.id)
    while pointer.kind != "release":
        pointer = yield draft
        if pointer.kind == "cancel":
            return None
        pulled = resized(sticker, handle, pointer.x + dx, pointer.y + dy, keep_aspect=pointer.shift)
        draft = _placed(board, sticker, pulled, "Resize")
    return draft


def _placed(board: Board, before: Sticker, after: Sticker, verb: str) -> Draft:
    from engine.stickers import kept_on_image

    kept = kept_on_image(after, board.height, board.width)
    notice = CLAMPED if kept != after else ""
    return Draft(with_sticker(board.stickers, kept), kept.id, f"{verb} {name_in_sentence(before)}", notice)


def _pan_or_deselect(pointer: Pointer, board: Board) -> Drag:
    start = pointer
    while not _travelled(start, pointer):
        pointer = yield Draft(board.stickers, board.selected)
        if pointer.kind == "release":
            return Draft(board.stickers, None)
        if pointer.kind == "cancel":
            return None
    return (yield from _pan_from(start, pointer))


def _pan_from(anchor: Pointer, pointer: Pointer) -> Drag:
    while pointer.kind in ("press", "move"):
        # Pointers are measured in the view as panned so far, so that the anchor stays under the mouse.
        pointer = yield Pan(anchor.x - pointer.x, anchor.y - pointer.y)
    return None


def _travelled(start: Pointer, pointer: Pointer) -> bool:
    return math.dist((start.x, start.y), (pointer.x, pointer.y)) > SLACK * pointer.pixel
