"""Gesture: one drag of the mouse, which runs a tool's generator. No Qt."""

from __future__ import annotations

from gui.canvas.tools import Board, Draft, Pan, Pointer, Slide, Tool


class Gesture:
    """The run of a tool's generator from press to release.

    ``update`` is the newest draft, pan or slide, to be shown. When ``over``, ``draft`` is to be committed; it is None if the drag was
    aborted or changed nothing.
    """

    def __init__(self, tool: Tool, pointer: Pointer, board: Board) -> None:
        self.board = board
        self.over = False
        self.edits = False
        """Whether the gesture has changed the stickers at any time, which makes it a drag and not a click."""
        self.shown = board.stickers
        """The stickers of the newest draft."""
        self.draft: Draft | None = None
        self.last = pointer
        self._drag = tool.start(pointer, board)
        self.update: Draft | Pan | Slide = next(self._drag)

    def advance(self, pointer: Pointer) -> None:
        """Pass the next event to the tool."""
        self.last = pointer
        try:
            self.update = self._drag.send(pointer)
        except StopIteration as stop:
            self.over, self.draft = True, stop.value
