"""StickersView: the list of the stickers in their order, the editor of the selected one, and the choice for new ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QShowEvent
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
    ("snap", "mdi6.magnet", "Snap to whole pixels: edges are rounded"),
    ("duplicate", "mdi6.content-duplicate", "Duplicate the selected stickers"),
    ("delete", "mdi6.delete-outline", "Delete the selected stickers"),
)
"""The names of the buttons, with icon and tool tip."""
_EMPTY = "Press R and draw a rectangle on the image, L for a polygon, or P to paint."
_EDGES = (
    ("left", "mdi6.align-horizontal-left", "Left edges"),
    ("centre", "mdi6.align-horizontal-center", "Centres across"),
    ("right", "mdi6.align-horizontal-right", "Right edges"),
    ("top", "mdi6.align-vertical-top", "Upper edges"),
    ("middle", "mdi6.align-vertical-center", "Centres down"),
    ("bottom", "mdi6.align-vertical-bottom", "Lower edges"),
)
_FILES = (
    ("open", "Open sticker or picture…"),
    ("mask", "Open picture as a mask…"),
    ("save", "Save stickers…"),
)


class StickersView(QWidget):
    """A view: it changes no sticker, but emits the changes that the user makes."""

    raised = Signal(int)
    """The user moves the selected sticker up by this number of places, or down if it is negative."""
    duplicated = Signal()
    snapped = Signal()
    aligned = Signal(str, bool)
    """The user aligns the selected stickers: the edge, and whether with the image."""
    fileAsked = Signal(str)
    """The user wants stickers from or in a file: ``open``, ``mask`` or ``save``."""
    deleted = Signal()
    shown = Signal()
    """The dock has become visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list, self.editor, self.new = StickerList(), StickerEditor(), NewStickers()
        self.buttons: dict[str, QToolButton] = {}
        self.file_actions: dict[str, QAction] = {}
        self._build()

    def _build(self) -> None:
        self.pages = QStackedWidget()
        self.pages.addWidget(EmptyState(_EMPTY, "mdi6.sticker-plus-outline"))
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
            if name == "snap":
                row.addWidget(self._menu_button("align", "mdi6.align-horizontal-left", "Align the selected stickers", self._align_menu()))
                row.addStretch(1)
                row.addWidget(self._menu_button("file", "mdi6.file-outline", "Stickers from and in files", self._file_menu()))
        self.buttons["up"].clicked.connect(lambda: self.raised.emit(1))
        self.buttons["down"].clicked.connect(lambda: self.raised.emit(-1))
        self.buttons["snap"].clicked.connect(self.snapped)
        self.buttons["duplicate"].clicked.connect(self.duplicated)
        self.buttons["delete"].clicked.connect(self.deleted)
        return row

    def _menu_button(self, name: str, picture: str, tip: str, menu: QMenu) -> QToolButton:
        button = self.buttons[name] = QToolButton()
        button.setIcon(icon(picture))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _align_menu(self) -> QMenu:
        menu = QMenu(self)
        for on_image, heading in ((False, "With each other, or one with the image"), (True, "With the image")):
            menu.addSection(heading)
            for edge, picture, text in _EDGES:
                menu.addAction(icon(picture), text, partial(self.aligned.emit, edge, on_image))
        return menu

    def _file_menu(self) -> QMenu:
        menu = QMenu(self)
        for name, text in _FILES:
            action = QAction(text, self)  # the dock owns it: an action that a menu makes goes with the menu
            action.triggered.connect(partial(self.fileAsked.emit, name))
            menu.addAction(action)
            self.file_actions[name] = action
        return menu

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        """Open the menu of the sticker under the mouse, which the press has selected; the menu key opens that of the selected one."""
        if not self.list.currentIndex().isValid():
            return
        menu = QMenu(self.list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, picture, tip in _TOOLS:
            action = menu.addAction(icon(picture), tip.partition(":")[0].replace(" the selected stickers", ""), self.buttons[name].click)
            action.setEnabled(self.buttons[name].isEnabled())
        menu.addAction(icon("mdi6.form-textbox"), "Rename", lambda: self.list.edit(self.list.currentIndex()))
        menu.popup(self.list.viewport().mapToGlobal(at))

    def show_stickers(
        self, stickers: Sequence[Sticker], selected: int | None, also: frozenset[int], editable: Sequence[Sticker], *, open: bool
    ) -> None:
        """List stickers. The buttons apply to ``editable``, the selected ones; none disables them. ``open``: an image takes new ones."""
        self.pages.setCurrentIndex(1 if stickers else 0)
        self.list.set_stickers(stickers, selected, also)
        for name in ("duplicate", "delete", "snap", "align"):
            self.buttons[name].setEnabled(bool(editable))
        count = len(editable)
        self.buttons["up"].setEnabled(count > 0 and tuple(editable) != tuple(stickers[-count:]))
        self.buttons["down"].setEnabled(count > 0 and tuple(editable) != tuple(stickers[:count]))
        self.buttons["file"].setEnabled(open)
        self.file_actions["save"].setEnabled(bool(editable))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()
