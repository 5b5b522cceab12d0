"""The mouse on the panes: presses that start gestures, moves and releases that lead them, the wheel, and the cursor."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QWidget

from gui.canvas.cursors import cursor_of
from gui.canvas.gesture import Gesture
from gui.canvas.mouse import WHEEL_STEP, PaneMouse
from gui.canvas.pane import Pane
from gui.canvas.tool_panes import ToolPanes
from gui.canvas.tools import TOOLS, Pan, Pointer, Role, Tool, hit_at, role, slide

SLIDE = Tool(slide, "horizontal")
DIVIDER_REACH = 6.0
"""The distance in screen pixels within which a press takes the divider."""
NOT_HERE = "Stickers are drawn on the pair, not on compared runs. Leave the comparison first."


class DrawingPanes(ToolPanes):
    """The panes under the mouse: the canvas's base class, without keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turned = 0.0
        """Notches of the wheel that have not changed the brush yet."""
        self.toolChanged.connect(self._on_tool)  # before all others, so that they find the tool's cursor

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

    # ------------------------------------------------------------------ the cursor

    @Slot(str)
    def _on_tool(self, tool: str) -> None:
        self._update_cursor()

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
