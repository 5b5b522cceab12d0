"""Stickers on the panes, and the mouse tools that draw, move and resize them.

It owns no state: `set_images` and `set_stickers` set what it shows, and signals announce what the user does. During a drag it shows
its own draft.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from gui.canvas.cursors import cursor_of
from gui.canvas.gesture import Gesture, rebased
from gui.canvas.mouse import WHEEL_STEP, PaneMouse
from gui.canvas.pane import Pane
from gui.canvas.tools import TOOLS, Board, Draft, Key, Pan, Pointer, Role, Slide, Tool, ToolName, hit_at, role, slide
from gui.canvas.views import PictureViews

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker

SLIDE = Tool(slide, "horizontal")
DIVIDER_REACH = 6.0
"""The distance in screen pixels within which a press takes the divider."""
LARGEST_RADIUS = 1000
NOT_HERE = "Stickers are drawn on the pair, not on compared runs. Leave the comparison first."


class DrawingPanes(PictureViews):
    """The panes with the mouse tools: the canvas's base class, without keys."""

    stickersDragged = Signal(object)
    """The stickers, after each mouse move of a drag that changes them; after Esc, the stickers from before the drag."""
    stickersCommitted = Signal(object, object, str)
    """The stickers before and after, and the name of the undo step."""
    dragStarted = Signal()
    """A drag begins to change stickers."""
    dragEnded = Signal()
    """The drag has ended, committed or aborted."""
    selectionChanged = Signal(object, object)
    """The selected sticker's id, or None, and the ids of further selected ones."""
    stickerTouched = Signal()
    """The hand has drawn, moved or selected a sticker."""
    toolChanged = Signal(str)
    radiusChanged = Signal(int)
    """The radius of the brush in image pixels."""
    notice = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.new_content: Callable[[], Content] | None = None
        """Returns the content for the next new sticker; None for a yellow one."""
        self._stickers: tuple[Sticker, ...] = ()
        self._selected: int | None = None
        self._also: frozenset[int] = frozenset()
        self._radius = 3
        self._turned = 0.0
        """Notches of the wheel that have not changed the brush yet."""
        self._tool: ToolName = "select"
        self._gesture: Gesture | None = None
        self._aside: Gesture | None = None
        """A pan beside a lasting gesture, which it leaves as it is."""
        self._noticed = False
        self._space = False

    def _adopt(self, pane: Pane) -> None:
        super()._adopt(pane)
        mouse = PaneMouse(pane, self)
        mouse.pressed.connect(lambda pointer, button: self._press(pane, pointer, button))
        mouse.moved.connect(lambda pointer, buttons: self._move(pane, pointer, buttons))
        mouse.released.connect(lambda pointer, button: self._release(pane, pointer, button))
        mouse.doubleClicked.connect(lambda pointer, button: self._double_click(pane, pointer, button))
        mouse.wheeled.connect(self._wheel)
        mouse.zoomed.connect(lambda factor, pointer: self.zoom_by(factor, (pointer.x, pointer.y)))
        mouse.left.connect(self._hover_ends)

    # ------------------------------------------------------------------ contents

    def _show(self) -> None:
        size = self._size
        super()._show()
        if self._size != size or self.comparing:
            self.abort()
        self._show_stickers()

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

    def _board(self) -> Board:
        height, width = self._size or (1, 1)
        there = self._size is not None and not self.comparing
        if not there:
            return Board((), None, height, width, self.new_content, radius=self._radius)
        return Board(self._stickers, self._selected, height, width, self.new_content, self._also, self._radius)

    # ------------------------------------------------------------------ tools and the mouse

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
            self._update_cursor()
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

    def _wheel(self, notches: float, pointer: Pointer) -> None:
        """Zoom about the mouse; with Ctrl, set the radius of a brush."""
        if not (pointer.ctrl and TOOLS[self._tool].brushes):
            self.zoom_by(WHEEL_STEP**notches, pointer.place)
            return
        self._turned += notches
        while abs(self._turned) >= 1:
            step = 1 if self._turned > 0 else -1
            self._turned -= step
            if self._radius + step >= 1:
                self.resize_brush(step)

    def _press(self, pane: Pane, pointer: Pointer, button: Qt.MouseButton) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._hover_at(pane, pointer)
        if self._gesture is not None and self._gesture.tool.lasting:
            self._press_again(pointer, button)
            return
        if self._gesture is not None or self._size is None:
            return
        if button == Qt.MouseButton.RightButton:
            # A context menu applies to the sticker under the mouse.
            hit = hit_at(pointer, self._board())
            if hit is None or hit.sticker not in self._board().chosen:
                self._select(hit.sticker.id if hit else None)
        elif button in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._noticed = False
            tool = self._tool_at(pane, pointer, button)
            if tool.draws and self.comparing:
                self._emit_notice(NOT_HERE)
                tool = TOOLS["select"]
            self._gesture = Gesture(tool, pointer, self._board())
            self._follow(self._gesture)
        self._update_cursor()

    def _press_again(self, pointer: Pointer, button: Qt.MouseButton) -> None:
        """Pass a further press to a lasting gesture; the middle button and Space pan beside it."""
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._space):
            self._aside = Gesture(TOOLS["pan"], pointer, self._board())
            self._update_cursor()
        elif button == Qt.MouseButton.LeftButton:
            self._noticed = False
            self._advance(replace(pointer, kind="click"))

    def _tool_at(self, pane: Pane, pointer: Pointer, button: Qt.MouseButton) -> Tool:
        """Return the tool that a press starts: the middle button and Space pan in any, and the divider can be taken unless one draws."""
        if self._space or button == Qt.MouseButton.MiddleButton:
            return TOOLS["pan"]
        tool = TOOLS[self._tool]
        return SLIDE if self._at_divider(pane, pointer) and not tool.draws else tool

    def _at_divider(self, pane: Pane, pointer: Pointer) -> bool:
        """Return whether the wipe's divider is under the mouse, and no handle of the selected sticker."""
        if pane is not self.stage or not self.stage.wiping or self._size is None:
            return False
        hit = hit_at(pointer, self._board())
        at = self.stage.divider * self._size[1]
        return abs(pointer.x - at) <= DIVIDER_REACH * pointer.pixel and (hit is None or hit.handle is None)

    def _move(self, pane: Pane, pointer: Pointer, buttons: Qt.MouseButton) -> None:
        lasting = self._gesture is not None and self._gesture.tool.lasting
        if self._aside is not None:
            self._pan_aside(pointer if buttons else replace(pointer, kind="release"))
        elif lasting and not buttons & Qt.MouseButton.LeftButton:
            self._advance(replace(pointer, kind="hover"))
        else:  # if a pop-up took the release, the drag ends here
            self._advance(pointer if buttons else replace(pointer, kind="release"))
        self._hover_at(pane, pointer)
        self._update_cursor()

    def _pan_aside(self, pointer: Pointer) -> None:
        aside = self._aside
        if aside is None:
            return
        aside.advance(pointer)
        if aside.over:
            self._aside = None
        elif isinstance(aside.update, Pan):
            self.pan_by(aside.update.dx, aside.update.dy)

    def _release(self, pane: Pane, pointer: Pointer, button: Qt.MouseButton) -> None:
        if self._aside is not None:
            self._pan_aside(pointer)
        elif button == Qt.MouseButton.LeftButton or self._gesture is None or not self._gesture.tool.lasting:
            self._advance(pointer)
        self._hover_at(pane, pointer)
        self._update_cursor()

    def _double_click(self, pane: Pane, pointer: Pointer, button: Qt.MouseButton) -> None:
        on_nothing = self._gesture is None and (self._tool == "pan" or (self._tool == "select" and hit_at(pointer, self._board()) is None))
        if button == Qt.MouseButton.LeftButton and on_nothing:
            self.fit()
        else:
            self._press(pane, pointer, button)

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

    def _update_cursor(self) -> None:
        shape: Role = "arrow"
        panning = self._space or self._aside is not None or (self._gesture is not None and isinstance(self._gesture.update, Pan))
        if panning and self._size:
            shape = "grab" if self._aside is not None or (self._gesture is not None and not self._gesture.tool.lasting) else "hand"
        elif self._hover is not None and self._size and self._gesture is None:
            shape = "horizontal" if self._divides() else role(self._tool, self._hover[1], self._board())
        elif self._gesture is not None:
            return  # the cursor from the beginning of the drag stays
        cursor = cursor_of(shape)
        for pane in self.panes:
            if pane.viewport.cursor().shape() != cursor.shape():
                pane.viewport.setCursor(cursor)

    def _divides(self) -> bool:
        return self._hover is not None and not TOOLS[self._tool].draws and self._at_divider(*self._hover)

    def _hold_space(self, held: bool) -> None:
        self._space = held
        self._update_cursor()

    def hideEvent(self, event: QHideEvent) -> None:
        self.abort()
        super().hideEvent(event)
