"""The mouse tools. Each is a generator: press code, ``yield`` while the mouse moves, release code. No Qt, no state of its own.

A tool is called with the press and the board; every ``yield`` hands out what to show and takes the next pointer; what it returns is to
be committed, and None means that nothing happened (Esc: back to the board).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Only their types: importing them loads torch, and the window is painted before that.
    from engine.stickers import Content, Handle, Hit, Sticker

ToolName = Literal["select", "rectangle", "ellipse", "pan"]
Kind = Literal["press", "move", "release", "cancel"]
Role = Literal["arrow", "cross", "hand", "grab", "move", "horizontal", "vertical", "falling", "rising"]

REACH = 8.0
"""Screen pixels around a handle that count as the handle."""
SLACK = 3.0
"""Screen pixels that a press may shake before it is a drag."""
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
        """Column and row of the pixel that it is on."""
        return math.floor(self.x), math.floor(self.y)


@dataclass(frozen=True, eq=False)
class Board:
    """What a tool works on."""

    stickers: tuple[Sticker, ...]
    selected: int | None
    height: int
    width: int
    new_content: Callable[[], Content] | None = None
    """Content of the next sticker; None: a yellow surface."""


@dataclass(frozen=True, eq=False)
class Draft:
    """What the stickers would be."""

    stickers: tuple[Sticker, ...]
    selected: int | None
    text: str = ""
    """What was done, as the undo list says it."""
    notice: str = ""


@dataclass(frozen=True)
class Pan:
    """Look at a point further along by image pixels."""

    dx: float
    dy: float


Drag = Generator[Draft | Pan, Pointer, Draft | None]


@dataclass(frozen=True)
class Tool:
    """A mouse tool: its generator, and how the window treats it."""

    start: Callable[[Pointer, Board], Drag]
    """Begins a drag, given the press."""
    cursor: Role | None = None
    """The mouse pointer over the image; None: it depends on what is under the mouse, as `role` says."""
    draws: bool = False
    """Whether it draws a new sticker: no handles are shown meanwhile, and ``select`` comes back after one."""


def select(pointer: Pointer, board: Board) -> Drag:
    """Move or resize what lies under the mouse; where nothing does, pan, or let go of the selection by a click."""
    hit = hit_at(pointer, board)
    if hit is None:
        return (yield from _pan_or_deselect(pointer, board))
    if hit.handle is None:
        return (yield from _move(pointer, board, hit.sticker))
    return (yield from _resize(pointer, board, hit.sticker, hit.handle))


def draw(kind: str, pointer: Pointer, board: Board) -> Drag:
    """Draw a sticker of a shape from corner to corner of its box; a click makes one of a single pixel; Shift makes the box square."""
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
    return Draft(stickers, drawn.id, f"Draw {called(drawn)}")


def pan(pointer: Pointer, board: Board) -> Drag:
    """Drag the image along with the mouse."""
    return (yield from _pan_from(pointer, pointer))


TOOLS: dict[ToolName, Tool] = {
    "select": Tool(select),
    "rectangle": Tool(partial(draw, "rectangle"), "cross", draws=True),
    "ellipse": Tool(partial(draw, "ellipse"), "cross", draws=True),
    "pan": Tool(pan, "hand"),
}


def role(tool: ToolName, pointer: Pointer, board: Board) -> Role:
    """What the mouse pointer should look like."""
    fixed = TOOLS[tool].cursor
    if fixed is not None:
        return fixed
    hit = hit_at(pointer, board)
    if hit is None:
        return "arrow"
    return HANDLE_ROLES[hit.handle] if hit.handle else "move"


def hit_at(pointer: Pointer, board: Board) -> Hit | None:
    """What lies under the mouse: a handle of the selected sticker, or the topmost sticker."""
    if not board.stickers:
        return None
    from engine.stickers import contains, find_hit

    reach = REACH * pointer.pixel
    chosen = next((sticker for sticker in board.stickers if sticker.id == board.selected), None)
    if chosen is not None and contains(chosen, pointer.x, pointer.y):
        # However small it is on the screen, its middle still moves it.
        reach = min(reach, 0.3 * min(chosen.width, chosen.height))
    return find_hit(board.stickers, pointer.x, pointer.y, reach, board.selected)


def swapped(stickers: tuple[Sticker, ...], new: Sticker) -> tuple[Sticker, ...]:
    """The stickers with the one of the same id replaced."""
    return tuple(new if sticker.id == new.id else sticker for sticker in stickers)


def called(sticker: Sticker) -> str:
    """The sticker's name within a sentence."""
    return sticker.name or f"sticker {sticker.id}"


def overlaps(sticker: Sticker, board: Board) -> bool:
    """Whether it covers at least one pixel of the image."""
    return sticker.x < board.width and sticker.y < board.height and sticker.right > 0 and sticker.bottom > 0


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

    # The mouse holds the handle where it took it, so that nothing jumps.
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
    return Draft(swapped(board.stickers, kept), kept.id, f"{verb} {called(before)}", notice)


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
        # The pointer is measured in the view as it was shifted last: the anchor stays under the mouse.
        pointer = yield Pan(anchor.x - pointer.x, anchor.y - pointer.y)
    return None


def _travelled(start: Pointer, pointer: Pointer) -> bool:
    return math.dist((start.x, start.y), (pointer.x, pointer.y)) > SLACK * pointer.pixel
