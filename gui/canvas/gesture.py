"""Gesture: one run of a mouse tool's generator. No Qt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gui.canvas.tools import Board, Draft, Pan, Pointer, Sketch, Slide, Tool

if TYPE_CHECKING:
    from engine.stickers import Sticker


class Gesture:
    """The run of a tool's generator from the press to its end: the release, unless the tool is a lasting one.

    ``update`` is the newest draft, pan or slide, to be shown. When ``over``, ``draft`` is to be committed; it is None if the gesture was
    aborted or changed nothing.
    """

    def __init__(self, tool: Tool, pointer: Pointer, board: Board) -> None:
        self.board = board
        self.tool = tool
        self.over = False
        self.edits = False
        """Whether the gesture has changed the stickers at any time, which makes it a drag and not a click."""
        self.shown = board.stickers
        """The stickers of the newest draft."""
        self.draft: Draft | None = None
        self.last = pointer
        self._drag = tool.start(pointer, board)
        self.update: Draft | Pan | Slide = next(self._drag)

    @property
    def sketch(self) -> Sketch | None:
        """The sketch that the gesture shows beside stickers."""
        return self.update.sketch if isinstance(self.update, Draft) and not self.over else None

    def advance(self, pointer: Pointer) -> None:
        """Pass the next event to the tool."""
        self.last = pointer
        try:
            self.update = self._drag.send(pointer)
        except StopIteration as stop:
            self.over, self.draft = True, stop.value


def rebased(draft: Draft, before: tuple[Sticker, ...], now: tuple[Sticker, ...]) -> Draft:
    """Return a draft that adds stickers to those of ``before`` as one that adds them to those that are there now.

    A lasting gesture leaves time for edits elsewhere, which its end must not take back.
    """
    from engine.stickers import next_id

    if before == now:
        return draft
    known, stickers, selected = {sticker.id for sticker in before}, now, draft.selected
    for sticker in draft.stickers:
        if sticker.id not in known:
            added = replace(sticker, id=next_id(stickers))
            stickers, selected = (*stickers, added), added.id
    return replace(draft, stickers=stickers, selected=selected)
