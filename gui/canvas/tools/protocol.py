"""The protocol between the mouse tools and the canvas: pointers in; drafts, sketches, pans and slides out. No Qt.

A tool is called with the press and the board. Every ``yield`` passes out a draft, a pan or a slide to be shown, and receives the next
pointer. The draft that the tool returns is to be committed; None means no change, as after Esc. The gesture of most tools ends with the
release of the mouse button. That of a lasting tool outlives it, with ``hover`` while no button is down, ``click`` for another press,
and ``key`` for the keys that end it or take its last step back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Types only: importing these loads torch, but the window is painted before that.
    import numpy as np

    from engine.stickers import Content, Sticker

ToolName = Literal["select", "rectangle", "ellipse", "polygon", "brush", "eraser", "pan"]
Kind = Literal["press", "move", "release", "hover", "click", "key", "cancel"]
Key = Literal["end", "back"]
Role = Literal["arrow", "cross", "hand", "grab", "move", "horizontal", "vertical", "falling", "rising", "turn"]

SLACK = 3.0
"""The distance in screen pixels from which a press becomes a drag."""


@dataclass(frozen=True)
class Pointer:
    """One mouse event, in image pixels."""

    x: float
    y: float
    pixel: float
    """Image pixels per screen pixel."""
    shift: bool = False
    kind: Kind = "move"
    ctrl: bool = False
    double: bool = False
    """Whether the press is the second one of a double click."""
    key: Key | None = None
    """The key of an event of kind ``key``, at the last place of the mouse."""

    @property
    def cell(self) -> tuple[int, int]:
        """Return column and row of the pixel under the pointer."""
        return math.floor(self.x), math.floor(self.y)

    @property
    def place(self) -> tuple[float, float]:
        """Return x and y."""
        return self.x, self.y


@dataclass(frozen=True, eq=False)
class Board:
    """The input of a tool: stickers, selection, size of the image, content of new stickers, and the size of the brush."""

    stickers: tuple[Sticker, ...]
    selected: int | None
    height: int
    width: int
    new_content: Callable[[], Content] | None = None
    """Returns the content for a new sticker; None for a yellow one."""
    also: frozenset[int] = frozenset()
    """The ids of further selected stickers."""
    radius: int = 1
    """Radius of the brush in image pixels; 1 is a single pixel."""

    @property
    def chosen(self) -> tuple[Sticker, ...]:
        """Return all selected stickers in z-order."""
        return tuple(sticker for sticker in self.stickers if sticker.id == self.selected or sticker.id in self.also)

    @property
    def only(self) -> Sticker | None:
        """Return the selected sticker if it is the only one; else None."""
        chosen = self.chosen
        return chosen[0] if len(chosen) == 1 else None


@dataclass(frozen=True, eq=False)
class Cells:
    """Pixels of the image that a brush has covered."""

    left: int
    top: int
    covered: np.ndarray
    """``(rows, columns)`` bool."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """Lines and areas that a gesture shows before it makes a sticker, in image pixels."""

    line: tuple[tuple[float, float], ...] = ()
    """An open line of corners."""
    closes: bool = False
    """Whether a click on the line's first corner closes it."""
    band: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom of the rectangle that selects."""
    cells: Cells | None = None
    erases: bool = False
    """Whether the brush takes away."""


@dataclass(frozen=True, eq=False)
class Draft:
    """The stickers and the selection that a gesture or an edit proposes."""

    stickers: tuple[Sticker, ...]
    selected: int | None
    text: str = ""
    """The name of the undo step."""
    notice: str = ""
    also: frozenset[int] = frozenset()
    """The ids of further selected stickers."""
    sketch: Sketch | None = None


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
    """A mouse tool: its generator, its cursor, and what the canvas does around it."""

    start: Callable[[Pointer, Board], Drag]
    """Returns the tool's generator for a press."""
    cursor: Role | None = None
    """The cursor over the image; None if it depends on what is under the mouse, see `role`."""
    draws: bool = False
    """Whether the tool changes what is under the mouse by drawing: no handles are shown."""
    new: str = ""
    """The kind of shape that the tool makes by keyboard alone; empty for none."""
    lasting: bool = False
    """Whether the gesture outlives the release of the button."""
    stays: bool = False
    """Whether the tool is kept after a sticker was drawn; others return to ``select``."""
    brushes: bool = False
    """Whether the tool has a radius."""


def unchanged(board: Board, notice: str = "", sketch: Sketch | None = None) -> Draft:
    """Return the draft that changes nothing of a board."""
    return Draft(board.stickers, board.selected, notice=notice, also=board.also, sketch=sketch)


def travelled(start: Pointer, pointer: Pointer) -> bool:
    """Return whether the pointer is far enough from the press for a drag."""
    return math.dist(start.place, pointer.place) > SLACK * pointer.pixel


def with_sticker(stickers: tuple[Sticker, ...], new: Sticker) -> tuple[Sticker, ...]:
    """Return the stickers with the one of the same id replaced by ``new``."""
    return tuple(new if sticker.id == new.id else sticker for sticker in stickers)


def name_in_sentence(sticker: Sticker) -> str:
    """Return the sticker's name for use within a sentence."""
    return sticker.name or f"sticker {sticker.id}"


def names_in_sentence(stickers: tuple[Sticker, ...]) -> str:
    """Return the name of one sticker, or the number of several."""
    return name_in_sentence(stickers[0]) if len(stickers) == 1 else f"{len(stickers)} stickers"


def overlaps(sticker: Sticker, board: Board) -> bool:
    """Return whether the sticker covers at least one pixel of the image."""
    left, top, right, bottom = sticker.outer
    if not (left < board.width and top < board.height and right > 0 and bottom > 0):
        return False
    if sticker.shape.fills_its_box:
        return True
    from engine.stickers import coverage

    return bool(coverage(sticker, board.height, board.width).any())
