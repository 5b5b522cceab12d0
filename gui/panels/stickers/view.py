"""StickersView: the list of the stickers in their order, the editor of the selected one, and the choice for new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from gui.panels.stickers.editor import StickerEditor
from gui.panels.stickers.new_stickers import NewStickers
from gui.panels.stickers.sticker_list import StickerList
from gui.theme import GRID, icon
from gui.widgets import EmptyState
from gui.widgets.scrolling import scrolling

if TYPE_CHECKING:
    from engine.stickers import Sticker


_TOOLS = (
    ("up", "mdi6.arrow-up", "Raise: one place up"),
    ("down", "mdi6.arrow-down", "Lower: one place down"),
    ("duplicate", "mdi6.content-duplicate", "Duplicate the selected sticker"),
    ("delete", "mdi6.delete-outline", "Delete the selected sticker"),
)
"""The names of the buttons, with icon and tool tip."""


class StickersView(QWidget):
    """A view: it changes no sticker, but emits the changes that the user makes."""

    raised = Signal(int)
    """The user moves the selected sticker up by this number of places, or down if it is negative."""
    duplicated = Signal()
    deleted = Signal()
    shown = Signal()
    """The dock has become visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list, self.editor, self.new = StickerList(), StickerEditor(), NewStickers()
        self.buttons: dict[str, QToolButton] = {}
        self._build()

    def _build(self) -> None:
        self.pages = QStackedWidget()
        self.pages.addWidget(EmptyState("Press R and draw a rectangle on the image.", "mdi6.sticker-plus-outline"))
        self.pages.addWidget(self.list)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._on_menu)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self.pages, 1)
        layout.addLayout(self._tools())
        layout.addWidget(self.editor)
        layout.addWidget(self.new)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(body))  # the dock may be lower than its content

    def _tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, picture, tip in _TOOLS:
            button = self.buttons[name] = QToolButton()
            button.setIcon(icon(picture))
            button.setAutoRaise(True)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            row.addWidget(button)
            if name == "down":
                row.addStretch(1)
        self.buttons["up"].clicked.connect(lambda: self.raised.emit(1))
        self.buttons["down"].clicked.connect(lambda: self.raised.emit(-1))
        self.buttons["duplicate"].clicked.connect(self.duplicated)
        self.buttons["delete"].clicked.connect(self.deleted)
        return row

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        """Open the menu of the sticker under the mouse, which the press has selected; the menu key opens that of the selected one."""
        if not self.list.currentIndex().isValid():
            return
        menu = QMenu(self.list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, picture, tip in _TOOLS:
            action = menu.addAction(icon(picture), tip.partition(":")[0].replace(" the selected sticker", ""), self.buttons[name].click)
            action.setEnabled(self.buttons[name].isEnabled())
        menu.popup(self.list.viewport().mapToGlobal(at))

    def show_stickers(self, stickers: Sequence[Sticker], selected: int | None, editable: Sticker | None) -> None:
        """List stickers. The buttons and the editor apply to ``editable``, the selected sticker; None disables them."""
        self.pages.setCurrentIndex(1 if stickers else 0)
        self.list.set_stickers(stickers, selected)
        for name in ("duplicate", "delete"):
            self.buttons[name].setEnabled(editable is not None)
        self.buttons["up"].setEnabled(editable is not None and editable is not stickers[-1])
        self.buttons["down"].setEnabled(editable is not None and editable is not stickers[0])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()
