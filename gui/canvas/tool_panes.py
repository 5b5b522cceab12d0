"""The mouse tools of the panes, and the gestures that they make: from a press to the draft that is committed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from gui.canvas.gesture import Gesture, rebased
from gui.canvas.sticker_panes import StickerPanes
from gui.canvas.tools import TOOLS, Key, Pan, Pointer, Slide, ToolName

if TYPE_CHECKING:
    pass

LARGEST_RADIUS = 1000


class ToolPanes(StickerPanes):
    """The panes with a tool in hand. During a drag they show its draft in place of the stickers that were set."""

    stickersDragged = Signal(object)
    """The stickers, after each mouse move of a drag that changes them; after Esc, the stickers from before the drag."""
    dragStarted = Signal()
    """A drag begins to change stickers."""
    dragEnded = Signal()
    """The drag has ended, committed or aborted."""
    stickerTouched = Signal()
    """The hand has drawn, moved or selected a sticker."""
    toolChanged = Signal(str)
    radiusChanged = Signal(int)
    """The radius of the brush in image pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._aside: Gesture | None = None
        """A pan beside a lasting gesture, which it leaves as it is."""

    def _show(self) -> None:
        size = self._size
        super()._show()
        if self._size != size or self.comparing:
            self.abort()
        self._show_stickers()

    @property
    def tool(self) -> ToolName:
        """The mouse tool."""
        return self._tool

    def set_tool(self, tool: ToolName) -> None:
        """Choose a mouse tool. After one sticker is drawn, most tools return to ``select``."""
        if tool not in TOOLS:
            raise ValueError(f"There is no tool {tool!r}; there are {', '.join(TOOLS)}.")
        if tool != self._tool:
            self.abort()
            self._tool = tool
            self._show_stickers()
            self.toolChanged.emit(tool)

    @property
    def radius(self) -> int:
        """The radius of the brush in image pixels."""
        return self._radius

    def set_radius(self, radius: int) -> None:
        """Set the radius of the brush; one that paints nothing is refused with a notice."""
        from engine.errors import GibbonError
        from engine.stickers.brushing import check_radius

        try:
            radius = min(check_radius(radius), LARGEST_RADIUS)
        except GibbonError as error:
            self.notice.emit(str(error))
            return
        if radius != self._radius:
            self._radius = radius
            self._show_sketch()
            self.radiusChanged.emit(radius)

    def resize_brush(self, by: int) -> None:
        """Make the brush larger (1) or smaller (-1): by one pixel, or by a tenth of a large one."""
        self.set_radius(self._radius + by * max(1, (self._radius + min(by, 0)) // 10))

    # ------------------------------------------------------------------ gestures

    def abort(self) -> None:
        """Abort the drag, and restore what was there before it."""
        self._aside = None
        while self._gesture is not None:  # a tool may pass out one more update to take its effect back
            self._advance(replace(self._gesture.last, kind="cancel"))

    def press_gesture_key(self, key: Key) -> None:
        """Pass a key to a lasting gesture: ``end`` ends it, ``back`` takes its last step back."""
        if self._gesture is not None:
            self._noticed = False
            self._advance(replace(self._gesture.last, kind="key", key=key, double=False))

    def _advance(self, pointer: Pointer) -> None:
        gesture = self._gesture
        if gesture is None:
            return
        gesture.advance(pointer)
        if not gesture.over:
            self._follow(gesture)
            return
        self._gesture = None
        self._conclude(gesture)

    def _follow(self, gesture: Gesture) -> None:
        """Show the gesture's newest draft."""
        update = gesture.update
        if isinstance(update, Pan):
            self.pan_by(update.dx, update.dy)
            return
        if isinstance(update, Slide):
            self.move_divider(update.dx)
            return
        if not gesture.tool.lasting:  # it leaves time to select elsewhere
            self._select(update.selected, update.also)
        self._emit_notice(update.notice)
        self._show_sketch()
        if update.stickers != gesture.shown:
            started, gesture.edits, gesture.shown = not gesture.edits, True, update.stickers
            self._show_stickers()
            if started:
                self.dragStarted.emit()
            self.stickersDragged.emit(update.stickers)

    def _conclude(self, gesture: Gesture) -> None:
        """End the drag, and commit its draft, if any."""
        before, draft = gesture.board.stickers, gesture.draft
        if draft is not None and gesture.tool.lasting:
            before, draft = self._stickers, rebased(draft, before, self._stickers)
        if draft is not None:
            if gesture.edits and draft.stickers == before:
                self.stickersDragged.emit(before)  # it ends where it began, and nothing is committed
            self._apply(draft, before)
        elif gesture.edits:
            self._stickers = before
            self._select(gesture.board.selected, gesture.board.also)
            self.stickersDragged.emit(before)
        self._show_stickers()
        if gesture.edits:
            self.dragEnded.emit()
        if draft is not None and draft.stickers != before and TOOLS[self._tool].draws and not TOOLS[self._tool].stays:
            self.set_tool("select")
        if draft is not None and draft.selected is not None:
            self.stickerTouched.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        self.abort()
        super().hideEvent(event)
