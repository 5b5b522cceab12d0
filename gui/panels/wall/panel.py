"""The Training images dock: up to 16 images of the newest batch, clean above, and below as the network is trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from gui.panels.wall.grid import WallGrid
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from gui.session.session import Session

_NOTHING = "The images that a network is trained on appear here: clean ones above, and below what the recipe makes of them."


class WallPanel(QWidget):
    """Follows the session's trainer, which makes no pictures while this is hidden."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.trainer = session.trainer
        self.caption = Sentence(1, muted=True, parent=self)
        self.grid = WallGrid(self)
        self._pages = QStackedLayout(self)
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, 4, GRID, 4)
        layout.setSpacing(2)
        layout.addWidget(self.caption)
        layout.addWidget(self.grid, 1)
        self._pages.addWidget(EmptyState(_NOTHING, "", self))
        self._pages.addWidget(body)
        self.trainer.images_wanted = self.isVisible
        self.trainer.imagesSeen.connect(self._show)
        self.trainer.changed.connect(self._show)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    @Slot()
    def _show(self) -> None:
        seen, recipe = self.trainer.seen, self.trainer.recipe
        self._pages.setCurrentIndex(0 if seen is None else 1)
        if seen is None or recipe is None or not self.isVisible():
            return
        running = "" if self.trainer.job is not None else ", the last batch that was seen"
        self.caption.set_text(
            f"{recipe.name}, epoch {seen.epoch}{running}: clean above, below as trained on ({recipe.operation.described})"
        )
        self.grid.show_images(seen.clean, seen.trained)
