"""The page of stickers that an attack found: a table of them, and the button that puts them on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from gui import theme
from gui.panels.results.content import Item
from gui.panels.results.views import View, page
from gui.session.found_stickers import found_stickers, put_on_canvas
from gui.widgets.text import Sentence
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.session import Session

_COLUMNS = ("sticker", "x", "y", "width", "height", "angle")


class StickersView(View):
    """A row for each sticker, in z-order."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._run: AttackRun | None = None
        self.table, self.words = ValueTable(self), Sentence(2, muted=True)
        self.table.setAccessibleName("Stickers that the attack found")
        self.button = theme.primary(QPushButton("Put on the canvas", self), "mdi6.sticker-plus-outline")
        self.button.setToolTip(
            "Take these as stickers in place of the perturbation, so that they can be moved and edited; undo brings it back"
        )
        self.button.clicked.connect(self._on_put)
        foot = QHBoxLayout()
        foot.addWidget(self.words, 1)
        foot.addWidget(self.button)
        page(self, self.table, foot)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        self._run, found = entry, found_stickers(entry)
        rows = [(each.title, each.x, each.y, each.width, each.height, each.angle) for each in found]
        self.table.set_table(_COLUMNS, rows)
        self.words.set_text("Positions and sizes in pixels, angles in degrees.")
        self.button.setEnabled(bool(found))

    @Slot()
    def _on_put(self) -> None:
        if self._run is not None:
            put_on_canvas(self.session, self._run)
