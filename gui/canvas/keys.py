"""The canvas's keys as a table: key, modifiers, the method that is called, its arguments, and the condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

Needs = Literal["nothing", "image", "stickers", "selection", "copy", "escape", "drawing", "gesture", "no corners", "wipe"]

_NONE = Qt.KeyboardModifier.NoModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_CTRL = Qt.KeyboardModifier.ControlModifier


FAR = 1_000_000
"""More places in z-order than there are stickers."""


@dataclass(frozen=True)
class Shortcut:
    """A key of the canvas and the method that it calls."""

    key: Qt.Key
    modifiers: Qt.KeyboardModifier
    method: str
    """The name of the canvas's method."""
    arguments: tuple[int, ...] = ()
    needs: Needs = "selection"
    help: str = ""
    """The text for the keyboard help page; empty if a menu has the command, or if another line covers the key."""

    def matches(self, event: QKeyEvent) -> bool:
        """Return whether an event is this key with its modifiers."""
        relevant = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier)
        return event.key() == self.key and relevant == self.modifiers


def _nudges() -> list[Shortcut]:
    ways = ((Qt.Key.Key_Left, -1, 0), (Qt.Key.Key_Right, 1, 0), (Qt.Key.Key_Up, 0, -1), (Qt.Key.Key_Down, 0, 1))
    return [Shortcut(key, modifiers, "nudge", (dx * by, dy * by)) for modifiers, by in ((_NONE, 1), (_SHIFT, 10)) for key, dx, dy in ways]


def _slides() -> list[Shortcut]:
    ways = ((Qt.Key.Key_Left, -1), (Qt.Key.Key_Right, 1))
    steps = ((_CTRL, 5), (_CTRL | _SHIFT, 1))
    return [Shortcut(key, modifiers, "slide", (way * by,), "wipe") for modifiers, by in steps for key, way in ways]


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut(Qt.Key.Key_Return, _NONE, "end_gesture", needs="gesture", help="End the polygon, as a double click does"),
    Shortcut(Qt.Key.Key_Enter, _NONE, "end_gesture", needs="gesture"),
    Shortcut(Qt.Key.Key_Backspace, _NONE, "take_back", needs="gesture", help="Take the last corner of a polygon back"),
    Shortcut(Qt.Key.Key_Z, _CTRL, "take_back", needs="gesture"),
    *_nudges(),
    Shortcut(Qt.Key.Key_Return, _NONE, "create_sticker", needs="drawing", help="With a drawing tool: put a sticker into the middle"),
    Shortcut(Qt.Key.Key_Enter, _NONE, "create_sticker", needs="drawing"),
    *_slides(),
    Shortcut(Qt.Key.Key_Delete, _NONE, "delete_selected"),
    Shortcut(Qt.Key.Key_Backspace, _NONE, "delete_selected", needs="no corners"),
    Shortcut(Qt.Key.Key_D, _CTRL, "duplicate_selected"),
    Shortcut(Qt.Key.Key_C, _CTRL, "copy_selected", help="Copy the selected stickers, as text"),
    Shortcut(Qt.Key.Key_X, _CTRL, "cut_selected", help="Cut the selected stickers"),
    Shortcut(Qt.Key.Key_V, _CTRL, "paste", needs="copy", help="Paste copied stickers"),
    Shortcut(Qt.Key.Key_PageUp, _NONE, "restack_selected", (1,)),
    Shortcut(Qt.Key.Key_PageDown, _NONE, "restack_selected", (-1,)),
    Shortcut(Qt.Key.Key_PageUp, _SHIFT, "restack_selected", (FAR,)),
    Shortcut(Qt.Key.Key_PageDown, _SHIFT, "restack_selected", (-FAR,)),
    Shortcut(Qt.Key.Key_A, _CTRL, "select_all", needs="stickers", help="Select all stickers"),
    Shortcut(Qt.Key.Key_Tab, _NONE, "select_next", (1,), "stickers", "Select the next sticker (Ctrl+Tab leaves the canvas)"),
    Shortcut(Qt.Key.Key_Backtab, _SHIFT, "select_next", (-1,), "stickers", "Select the sticker before"),
    Shortcut(Qt.Key.Key_Tab, _CTRL, "leave", (1,), "nothing"),
    Shortcut(Qt.Key.Key_Backtab, _CTRL | _SHIFT, "leave", (0,), "nothing"),
    Shortcut(Qt.Key.Key_Escape, _NONE, "escape", needs="escape", help="Abort the drag; else leave the tool; else let go of the selection"),
    Shortcut(Qt.Key.Key_0, _CTRL, "fit", needs="image"),
    Shortcut(Qt.Key.Key_Plus, _CTRL, "zoom_in", needs="image"),
    Shortcut(Qt.Key.Key_Equal, _CTRL, "zoom_in", needs="image"),
    Shortcut(Qt.Key.Key_Minus, _CTRL, "zoom_out", needs="image"),
)

HELP: tuple[tuple[str, str], ...] = (
    ("Arrow keys", "Move the selected stickers by one pixel, with Shift by ten"),
    ("Ctrl+Left, Ctrl+Right", "Move the divider of the wipe, with Shift in small steps"),
    ("Shift while drawing", "Draw a square"),
    ("Shift while a polygon is drawn", "Draw its side in steps of 45°"),
    ("Shift while resizing", "Keep the aspect"),
    ("Shift while rotating", "Rotate in steps of 15°"),
    ("Shift and drag on empty canvas", "Select the stickers in the rectangle"),
    ("Ctrl and click", "Add a sticker to the selection, or take it out"),
    ("Ctrl and mouse wheel, with the brush", "Make the brush larger or smaller"),
    ("Ctrl while brushing", "Erase"),
    ("Space or middle button, and drag", "Move the view"),
    ("Mouse wheel", "Zoom about the mouse"),
    ("Double click", "Fit the image"),
    ("Double click on an image's heading", "Show the canvas alone, and back"),
)
"""Further lines of the help page, for gestures and groups of keys."""
