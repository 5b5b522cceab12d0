"""ImageCanvas: clean and adversarial image in a view of two; stickers are drawn, moved and resized on both, by mouse or keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QGuiApplication, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from engine.text.formatting import counted
from gui.canvas import edits
from gui.canvas.aligning import Edge, align
from gui.canvas.drawing import NOT_HERE, DrawingPanes
from gui.canvas.drops import FileDrop
from gui.canvas.frame import HighlightFrame
from gui.canvas.held_key import HeldKey
from gui.canvas.keys import SHORTCUTS, Shortcut
from gui.canvas.tools import TOOLS, Draft
from gui.clipboard import local_files

if TYPE_CHECKING:
    from engine.stickers import Sticker


class ImageCanvas(DrawingPanes):
    """The canvas, with keys, clipboard and dropped files in addition to the mouse tools."""

    filesDropped = Signal(object)
    """The paths of the local files that were dropped."""
    menuAsked = Signal(object, int)
    """A context menu is asked for: the place on the screen, and the number of the picture there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription(
            "The clean and the adversarial image with their stickers. Tab selects a sticker, the arrow keys move it, Delete removes it; "
            "Ctrl+Tab leaves the canvas."
        )
        FileDrop(self).dropped.connect(self.filesDropped)
        self._focus_frame = HighlightFrame(self, thickness=2)
        self._held_key = HeldKey(Qt.Key.Key_B, self)
        self._held_key.released.connect(lambda: self.hold_clean(False))

    # ------------------------------------------------------------------ keys and menus

    def hold_clean_while_pressed(self) -> None:
        """Show the clean image until the key B is released, wherever the focus is."""
        self.hold_clean(True)
        self._held_key.wait()

    def nudge(self, dx: int, dy: int) -> None:
        """Move the selected stickers by whole pixels."""
        self._edit(edits.nudge(self._board(), dx, dy))

    def create_sticker(self) -> None:
        """Put a sticker of the tool's shape into the middle of the image, as drawing one with the mouse does."""
        if self.comparing:
            self.notice.emit(NOT_HERE)
            return
        self._edit(edits.add_new(self._board(), TOOLS[self._tool].new))
        self.set_tool("select")
        self.stickerTouched.emit()

    def displayed(self, place: int) -> QImage:
        """Return what a pane shows of its picture, at the size on the screen, without outlines, handles and marks."""
        pane = self.panes[place] if len(self.panes) > place else self.panes[-1]
        return pane.grab_image()

    def slide(self, share: int) -> None:
        """Move the wipe's divider by a share of the width, in percent."""
        self.move_divider(share / 100 * (self._size or (1, 1))[1])

    def delete_selected(self) -> None:
        """Remove the selected stickers."""
        self._edit(edits.delete(self._board()))

    def duplicate_selected(self) -> None:
        """Put copies of the selected stickers beside them."""
        self._edit(edits.duplicate(self._board()))

    def restack_selected(self, by: int) -> None:
        """Move the selected stickers up (1) or down (-1) in z-order, or by more places."""
        self._edit(edits.restack(self._board(), by))

    def copy_selected(self) -> None:
        """Put the selected stickers on the clipboard as text, which `paste` reads in any window."""
        from engine.record import stickers_as_text

        if chosen := self._board().chosen:
            QGuiApplication.clipboard().setText(stickers_as_text(chosen))
            self.notice.emit(f"{counted(len(chosen), 'sticker')} copied. Ctrl+V pastes, in another window, too.")

    def cut_selected(self) -> None:
        """Put the selected stickers on the clipboard, and remove them; locked ones stay."""
        self.copy_selected()
        self.delete_selected()

    def paste(self) -> None:
        """Add the stickers on the clipboard to the image; a text that holds none is said."""
        from engine.errors import GibbonError
        from engine.record import stickers_from_text

        try:
            pasted = stickers_from_text(QGuiApplication.clipboard().text())
        except GibbonError as error:
            self.notice.emit(str(error))
            return
        if self._size is not None and not self.comparing:
            self._edit(edits.add_copies(self._board(), pasted, "Paste", named=True))
            self.stickerTouched.emit()

    def add_stickers(self, stickers: Sequence[Sticker], verb: str) -> None:
        """Add stickers on top as one step, such as those of a file."""
        if self.comparing:
            self.notice.emit(NOT_HERE)
        elif self._size is not None:
            self._edit(edits.add_copies(self._board(), stickers, verb, named=True))
            self.stickerTouched.emit()

    def snap_selected(self) -> None:
        """Round the edges of the selected stickers to whole pixels."""
        self._edit(edits.snap(self._board()))

    def align_selected(self, edge: Edge, on_image: bool = False) -> None:
        """Align the selected stickers with each other, or with the image."""
        self._edit(align(self._board(), edge, on_image=on_image))

    def switch_selected(self, what: edits.Switch) -> None:
        """Lock or unlock, hide or show the selected stickers."""
        board = self._board()
        self._edit(edits.switch(board, [sticker.id for sticker in board.chosen], what))

    def select_all(self) -> None:
        """Select all stickers that are neither locked nor hidden."""
        self._edit(edits.select_all(self._board()))

    def end_gesture(self) -> None:
        """End the polygon that is being drawn."""
        self.press_gesture_key("end")

    def take_back(self) -> None:
        """Take back the last corner of the polygon that is being drawn."""
        self.press_gesture_key("back")

    def select_next(self, by: int) -> None:
        """Select the next (1) or the previous (-1) sticker in z-order, cyclically."""
        if self._gesture is None:
            self._select(edits.neighbour(self._board(), by))
            self.stickerTouched.emit()

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
        chosen = self._selected is not None and self._size is not None and not self.comparing
        return {
            "nothing": True,
            "image": self._size is not None,
            "stickers": idle and bool(self._stickers) and self._size is not None and not self.comparing,
            "selection": idle and chosen,
            "no corners": idle and chosen and not TOOLS[self._tool].lasting,  # one Backspace too many must not delete a sticker
            "copy": idle and self.can_paste() and not self.comparing,
            "drawing": idle and self._size is not None and bool(TOOLS[self._tool].new),
            "gesture": self._gesture is not None and self._gesture.tool.lasting,
            "wipe": idle and self.stage.isVisible() and self.stage.wiping,
            "escape": not idle or self._tool != "select" or self._selected is not None,
        }[shortcut.needs]

    def can_paste(self) -> bool:
        """Return whether the clipboard holds a text that may be stickers; images and files are left to the window."""
        mime = QGuiApplication.clipboard().mimeData()
        return self._size is not None and mime is not None and mime.hasText() and not mime.hasImage() and not local_files(mime)

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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the picture under the mouse, or of the last one for the menu key."""
        panes = self.panes
        under = (place for place, pane in enumerate(panes) if pane.geometry().contains(event.pos()))
        place = next(under, len(panes) - 1)
        if self.stage in panes:
            place = self.stage.picture_at(self.stage.view.mapFrom(self, event.pos()).x())
        at = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            at = panes[-1].view.mapToGlobal(panes[-1].view.rect().center())
        if self._size is not None:
            self.menuAsked.emit(at, place)
        event.accept()

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
