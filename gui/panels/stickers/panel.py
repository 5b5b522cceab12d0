"""The Stickers dock: the list with its order, the editor of the one that is selected, and what new ones are drawn with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Slot
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.panels.stickers.editor import StickerEditor, described
from gui.panels.stickers.sticker_list import StickerList, chip_icon
from gui.session.session import Session
from gui.theme import GRID, icon
from gui.widgets import EmptyState
from gui.widgets.scrolling import scrolling


class StickersPanel(QWidget):
    """Every edit is one step that can be undone."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.list = StickerList()
        self.editor = StickerEditor(session)
        self.new_content, self.colour = QComboBox(), QPushButton()
        self.buttons: dict[str, QToolButton] = {}
        self._build()
        session.stickersChanged.connect(self.refresh)
        session.selectionChanged.connect(self.refresh)
        session.imageChanged.connect(self.refresh)

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        self.list.chosen.connect(self.session.select)
        self.list.deleteAsked.connect(self.delete)
        empty = EmptyState("Press R and draw a rectangle on the image.", "mdi6.sticker-plus-outline")
        self.pages = QStackedWidget()
        self.pages.addWidget(empty)
        self.pages.addWidget(self.list)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self.pages, 1)
        layout.addLayout(self._tools())
        layout.addWidget(self.editor)
        layout.addLayout(self._for_new())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(body))  # docks that share its place may be lower than all of it

    def _tools(self) -> QHBoxLayout:
        tools: tuple[tuple[str, str, str, Callable[[], None]], ...] = (
            ("up", "mdi6.arrow-up", "Bring forward: one place up", lambda: self.reorder(1)),
            ("down", "mdi6.arrow-down", "Send backward: one place down", lambda: self.reorder(-1)),
            ("duplicate", "mdi6.content-duplicate", "Duplicate the selected sticker", self.duplicate),
            ("delete", "mdi6.delete-outline", "Delete the selected sticker", self.delete),
        )
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, picture, tip, action in tools:
            button = QToolButton()
            button.setIcon(icon(picture))
            button.setAutoRaise(True)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(action)
            self.buttons[name] = button
            row.addWidget(button)
            if name == "down":
                row.addStretch(1)
        return row

    def _for_new(self) -> QHBoxLayout:
        self.new_content.addItem("Optimised", "optimised")
        self.new_content.addItem("Colour", "colour")
        self.new_content.setCurrentIndex(self.new_content.findData(self.session.new_content))
        described(self.new_content, "Content of new stickers", "What a sticker is drawn with: content that Run paints, or one colour")
        self.new_content.activated.connect(self._on_new_content)
        described(self.colour, "Colour of new stickers", "Choose the colour that new stickers are drawn with")
        self.colour.clicked.connect(self._on_new_colour)
        row = QHBoxLayout()
        row.addWidget(QLabel("New stickers"))
        row.addWidget(self.new_content, 1)
        row.addWidget(self.colour)
        return row

    # ------------------------------------------------------------------ showing

    @Slot()
    def refresh(self) -> None:
        """Follow the session, where anybody can see it."""
        if not self.isVisible():
            return
        stickers, here = self.session.stickers, self.editor.sticker
        self.pages.setCurrentIndex(1 if stickers else 0)
        self.list.set_stickers(stickers, self.session.selected)
        self.editor.refresh()
        for name in ("duplicate", "delete"):
            self.buttons[name].setEnabled(here is not None)
        self.buttons["up"].setEnabled(here is not None and here is not stickers[-1])
        self.buttons["down"].setEnabled(here is not None and here is not stickers[0])
        self._show_colour()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _show_colour(self) -> None:
        self.colour.setVisible(self.session.new_content == "colour")
        self.colour.setIcon(chip_icon(self.session.new_colour))

    # ------------------------------------------------------------------ edits

    @Slot()
    def delete(self) -> None:
        """Remove the selected sticker."""
        here = self.editor.sticker
        if here is not None:
            self.session.commit_stickers(tuple(s for s in self.session.stickers if s is not here), f"Delete {here.title}")

    @Slot()
    def duplicate(self) -> None:
        """A copy on top, one step to the lower right, selected."""
        here = self.editor.sticker
        if here is None:
            return
        from engine.stickers import kept_on_image, next_id

        copy = replace(here, id=next_id(self.session.stickers), x=here.x + 2, y=here.y + 2, name="")
        if self.session.clean is not None:
            copy = kept_on_image(copy, *self.session.clean.shape[1:])
        self.session.commit_stickers((*self.session.stickers, copy), f"Duplicate {here.title}")
        self.session.select(copy.id)

    def reorder(self, by: int) -> None:
        """Move the selected sticker towards the top or down."""
        here = self.editor.sticker
        if here is not None:
            from engine.stickers import reordered

            self.session.commit_stickers(reordered(self.session.stickers, here.id, by), "Bring forward" if by > 0 else "Send backward")

    # ------------------------------------------------------------------ new ones

    @Slot()
    def _on_new_content(self) -> None:
        self.session.change(new_content=self.new_content.currentData())
        self._show_colour()

    @Slot()
    def _on_new_colour(self) -> None:
        chosen = QColorDialog.getColor(QColor.fromRgbF(*self.session.new_colour), self, "Colour of new stickers")
        if chosen.isValid():
            self.session.change(new_colour=(chosen.redF(), chosen.greenF(), chosen.blueF()))
            self._show_colour()
