"""Stickers on the panes: which of them are shown and selected, and what an edit changes. No tools and no mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gui.canvas.gesture import Gesture
from gui.canvas.pane import Pane
from gui.canvas.tools import TOOLS, Board, Draft, Pointer, ToolName
from gui.canvas.views import PictureViews

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker


class StickerPanes(PictureViews):
    """The panes with their stickers: the canvas's base class, without tools.

    It owns no state: `set_images` and `set_stickers` set what it shows, and signals announce what the user does.
    """

    stickersCommitted = Signal(object, object, str)
    """The stickers before and after, and the name of the undo step."""
    selectionChanged = Signal(object, object)
    """The selected sticker's id, or None, and the ids of further selected ones."""
    notice = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.new_content: Callable[[], Content] | None = None
        """Returns the content for the next new sticker; None for a yellow one."""
        self._stickers: tuple[Sticker, ...] = ()
        self._selected: int | None = None
        self._also: frozenset[int] = frozenset()
        self._radius = 3
        self._tool: ToolName = "select"
        self._gesture: Gesture | None = None
        self._noticed = False
        self._space = False

    def set_stickers(self, stickers: tuple[Sticker, ...], selected: int | None, also: frozenset[int] = frozenset()) -> None:
        """Show stickers; during a drag they are kept until it ends. ``also`` holds the ids of further selected ones."""
        self._stickers, self._selected, self._also = tuple(stickers), selected, frozenset(also)
        if not self.dragging:
            self._show_stickers()

    @property
    def stickers(self) -> tuple[Sticker, ...]:
        """The stickers that are shown: during a drag those of its draft."""
        return self._gesture.shown if self._gesture is not None and self._gesture.edits else self._stickers

    @property
    def selected(self) -> int | None:
        """The id of the selected sticker."""
        return self._selected

    @property
    def also_selected(self) -> frozenset[int]:
        """The ids of further selected stickers."""
        return self._also

    @property
    def dragging(self) -> bool:
        """Whether a drag is changing stickers."""
        return self._gesture is not None and self._gesture.edits

    @property
    def _busy(self) -> bool:
        return self._gesture is not None

    def _board(self) -> Board:
        height, width = self._size or (1, 1)
        there = self._size is not None and not self.comparing
        if not there:
            return Board((), None, height, width, self.new_content, radius=self._radius)
        return Board(self._stickers, self._selected, height, width, self.new_content, self._also, self._radius)

    # ------------------------------------------------------------------ what is shown

    def _show_stickers(self) -> None:
        selected = self._also if self._selected is None else self._also | {self._selected}
        for pane in self.panes:
            there = pane.filled and not self.comparing
            pane.set_stickers(self.stickers if there else (), selected, handles=not TOOLS[self._tool].draws)
        self._show_sketch()

    def _show_sketch(self) -> None:
        """Show what the gesture sketches, and the brush at the mouse."""
        sketch, circle = None if self._gesture is None else self._gesture.sketch, None
        if TOOLS[self._tool].brushes and self._hover is not None and self._size is not None and not self.comparing and not self._space:
            column, row = self._hover[1].cell
            circle = column + 0.5, row + 0.5, self._radius - 0.5
        for pane in self.panes:
            pane.set_sketch(sketch, circle if pane.filled else None)

    def _hover_at(self, pane: Pane, pointer: Pointer) -> None:
        super()._hover_at(pane, pointer)
        self._show_sketch()

    def _hover_ends(self) -> None:
        super()._hover_ends()
        self._show_sketch()

    # ------------------------------------------------------------------ edits

    def _apply(self, draft: Draft, before: tuple[Sticker, ...]) -> None:
        """Commit the draft of a drag or a key."""
        if draft.selected is None or any(sticker.id == draft.selected for sticker in before):
            self._select(draft.selected, draft.also)
        self._stickers = draft.stickers
        if draft.stickers != before:
            self.stickersCommitted.emit(before, draft.stickers, draft.text)
        # A new sticker can be selected only after the session has it.
        self._select(draft.selected, draft.also)
        self._show_stickers()
        self._emit_notice(draft.notice)

    def _select(self, id: int | None, also: frozenset[int] = frozenset()) -> None:
        if (id, also) != (self._selected, self._also):
            self._selected, self._also = id, also
            self._show_stickers()
            self.selectionChanged.emit(id, also)

    def _emit_notice(self, notice: str) -> None:
        """Emit a notice, once per drag or key."""
        if notice and not self._noticed:
            self._noticed = True
            self.notice.emit(notice)
