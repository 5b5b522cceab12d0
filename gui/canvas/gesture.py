"""One drag of the mouse: runs a tool's generator and says what came of each event. No Qt."""

from __future__ import annotations

from gui.canvas.tools import Board, Draft, Pan, Pointer, Tool


class Gesture:
    """A tool at work, from press to release.

    ``update`` is what to show now; when ``over``, ``draft`` is what to commit, None where the drag was aborted or changed nothing.
    """

    def __init__(self, tool: Tool, pointer: Pointer, board: Board) -> None:
        self.board = board
        self.over = False
        self.edits = False
        """Whether it has changed the stickers at some time: it is a drag then, and not a click."""
        self.shown = board.stickers
        """What was shown last."""
        self.draft: Draft | None = None
        self.last = pointer
        self._drag = tool.start(pointer, board)
        self.update: Draft | Pan = next(self._drag)

    def advance(self, pointer: Pointer) -> None:
        """Hand the next event to the tool."""
        self.last = pointer
        try:
            self.update = self._drag.send(pointer)
        except StopIteration as stop:
            self.over, self.draft = True, stop.value
