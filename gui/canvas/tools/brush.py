"""Brush and eraser: strokes over pixels of the image, each of which is one step."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from gui.canvas.tools.picking import hit_at
from gui.canvas.tools.protocol import Board, Cells, Draft, Drag, Pan, Pointer, Sketch, Slide, name_in_sentence, unchanged, with_sticker
from gui.canvas.tools.shapes import MISSED

if TYPE_CHECKING:
    from torch import Tensor

    from engine.stickers import Sticker

NOTHING_HERE = "There is nothing to erase here. Select the sticker that the eraser is for, or begin on one."
LOCKED = "{} is locked. Unlock it in the list of stickers first."


def brush(pointer: Pointer, board: Board) -> Drag:
    """Paint pixels: the selected brushed sticker grows, else there is a new one. Ctrl at the press erases instead."""
    if pointer.ctrl:
        return (yield from erase(pointer, board))
    from engine.stickers import Brushed

    chosen = board.only
    grown = chosen if chosen is not None and isinstance(chosen.shape, Brushed) and chosen.visible else None
    if grown is not None and grown.locked:
        return (yield from _refused(board, _locked(grown)))
    covered = yield from _stroke(pointer, board, erases=False)
    if covered is None:
        return None
    if not bool(covered.any()):
        return unchanged(board, MISSED)
    return _painted(board, grown, covered)


def erase(pointer: Pointer, board: Board) -> Drag:
    """Take pixels away from the selected sticker, or from the one under the press; an empty one is removed."""
    chosen = board.only
    if chosen is None or not chosen.visible:
        target = hit_at(pointer, replace(board, selected=None, also=frozenset()))
        chosen = None if target is None else target.sticker
    if chosen is None or chosen.locked:
        return (yield from _refused(board, NOTHING_HERE if chosen is None else _locked(chosen)))
    covered = yield from _stroke(pointer, board, erases=True)
    return None if covered is None else _erased(board, chosen, covered)


def _stroke(pointer: Pointer, board: Board, *, erases: bool) -> Generator[Draft | Pan | Slide, Pointer, Tensor | None]:
    """Follow the mouse to its release; return the covered pixels ``(H, W)`` bool, or None after Esc."""
    from engine.stickers.brushing import Stroke

    stroke = Stroke(board.height, board.width, board.radius)
    while True:
        stroke.reach(pointer.x, pointer.y)
        if pointer.kind == "release":
            return stroke.covered
        left, top, right, bottom = stroke.box
        cells = Cells(left, top, stroke.covered[top:bottom, left:right].numpy())
        pointer = yield unchanged(board, sketch=Sketch(cells=cells, erases=erases))
        if pointer.kind == "cancel":
            return None


def _painted(board: Board, grown: Sticker | None, covered: Tensor) -> Draft:
    from engine.errors import GibbonError
    from engine.stickers import next_id
    from engine.stickers.brushing import brushed, extended

    try:
        if grown is None:
            drawn = brushed(next_id(board.stickers), covered, board.new_content() if board.new_content else None)
            return Draft((*board.stickers, drawn), drawn.id, f"Draw {name_in_sentence(drawn)}")
        larger = extended(grown, covered)
    except GibbonError as error:
        return unchanged(board, str(error))
    return Draft(with_sticker(board.stickers, larger), grown.id, f"Paint {name_in_sentence(grown)}")


def _erased(board: Board, sticker: Sticker, covered: Tensor) -> Draft:
    from engine.errors import GibbonError
    from engine.stickers.brushing import erased

    text = f"Erase from {name_in_sentence(sticker)}"
    try:
        rest = erased(sticker, covered)
    except GibbonError as error:
        return unchanged(board, str(error))
    if rest is None:
        left = tuple(other for other in board.stickers if other.id != sticker.id)
        return Draft(left, None, text, f"Nothing is left of {name_in_sentence(sticker)}, so it is removed. Undo (Ctrl+Z) brings it back.")
    return Draft(with_sticker(board.stickers, rest), sticker.id, text)


def _refused(board: Board, notice: str) -> Drag:
    """Say why nothing is drawn, and wait for the release."""
    pointer = yield unchanged(board, notice)
    while pointer.kind not in ("release", "cancel"):
        pointer = yield unchanged(board)
    return None


def _locked(sticker: Sticker) -> str:
    name = name_in_sentence(sticker)
    return LOCKED.format(name[:1].upper() + name[1:])
