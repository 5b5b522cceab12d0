"""ImageCanvas: clean and adversarial image side by side; stickers are drawn, moved and resized on both, by mouse or keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.canvas import edits
from gui.canvas.drawing import DrawingPanes
from gui.canvas.drops import FileDrop
from gui.canvas.frame import HighlightFrame
from gui.canvas.keys import SHORTCUTS, Shortcut
from gui.canvas.tools import Draft
from gui.clipboard import copy_data

if TYPE_CHECKING:
    from engine.stickers import Sticker

STICKER_MIME = "application/x-gibbon-sticker"
"""The clipboard's type of a copied sticker, by which Ctrl+V distinguishes it from an image."""


class ImageCanvas(DrawingPanes):
    """The canvas, with keys, clipboard and dropped files in addition to the mouse tools."""

    filesDropped = Signal(object)
    """The paths of the local files that were dropped."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._copied: Sticker | None = None
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription(
            "The clean and the adversarial image with their stickers. Tab selects a sticker, the arrow keys move it, Delete removes it; "
            "Ctrl+Tab leaves the canvas."
        )
        FileDrop(self).dropped.connect(self.filesDropped)
        self._focus_frame = HighlightFrame(self, thickness=2)

    # ------------------------------------------------------------------ keys and menus

    def nudge(self, dx: int, dy: int) -> None:
        """Move the selected sticker by whole pixels."""
        self._edit(edits.nudge(self._board(), dx, dy))

    def delete_selected(self) -> None:
        """Remove the selected sticker."""
        self._edit(edits.delete(self._board()))

    def duplicate_selected(self) -> None:
        """Put a copy of the selected sticker beside it."""
        self._edit(edits.duplicate(self._board()))

    def restack_selected(self, by: int) -> None:
        """Move the selected sticker up (1) or down (-1) in z-order."""
        self._edit(edits.restack(self._board(), by))

    def copy_selected(self) -> None:
        """Copy the selected sticker, for `paste`."""
        self._copied = edits.selected_sticker(self._board()) or self._copied
        if self._copied is not None:
            copy_data(STICKER_MIME, str(self._copied.id).encode())

    def paste(self) -> None:
        """Add the copied sticker to the image."""
        if self._copied is not None and self._size is not None:
            self._edit(edits.add_copy(self._board(), self._copied, "Paste"))

    def select_next(self, by: int) -> None:
        """Select the next (1) or the previous (-1) sticker in z-order, cyclically."""
        if self._gesture is None:
            self._select(edits.neighbour(self._board(), by))

    def escape(self) -> None:
        """Abort the drag, or else leave the tool, or else clear the selection."""
        if self._gesture is not None:
            self.abort()
        elif self._tool != "select":
            self.set_tool("select")
        else:
            self._select(None)

    def leave(self, forward: int) -> None:
        """Move the focus to the next or previous control, since Tab alone moves between stickers."""
        self.focusNextPrevChild(bool(forward))

    def _edit(self, draft: Draft | None) -> None:
        if draft is not None and self._gesture is None:
            self._noticed = False
            self._apply(draft, self._stickers)

    def _applies(self, shortcut: Shortcut) -> bool:
        idle = self._gesture is None
        chosen = self._selected is not None and self._size is not None
        return {
            "nothing": True,
            "image": self._size is not None,
            "stickers": idle and bool(self._stickers) and self._size is not None,
            "selection": idle and chosen,
            "copy": idle and self._can_paste(),
            "escape": not idle or self._tool != "select" or self._selected is not None,
        }[shortcut.needs]

    def _can_paste(self) -> bool:
        mime = QGuiApplication.clipboard().mimeData()
        return self._copied is not None and self._size is not None and mime is not None and mime.hasFormat(STICKER_MIME)

    # ------------------------------------------------------------------ events

    def event(self, event: QEvent) -> bool:
        """Take the canvas's keys before menu shortcuts get them, and Tab before it moves the focus."""
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            shortcut = next((known for known in SHORTCUTS if known.matches(event) and self._applies(known)), None)
            if shortcut is not None:
                if event.type() == QEvent.Type.KeyPress:
                    getattr(self, shortcut.method)(*shortcut.arguments)
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._hold_space(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._hold_space(False)
        else:
            super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Frame the canvas if the focus came by the keyboard."""
        reasons = Qt.FocusReason
        if event.reason() in (reasons.TabFocusReason, reasons.BacktabFocusReason, reasons.ShortcutFocusReason):
            self._focus_frame.appear()
        super().focusInEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._focus_frame.follow()
        super().resizeEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._focus_frame.hide()
        self._hold_space(False)
        super().focusOutEvent(event)
