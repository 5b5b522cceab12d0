"""The Tables dock. The builder needs the engine, so it is built when the dock is first seen after the engine was loaded."""

from __future__ import annotations

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from gui.panels.tables import work
from gui.panels.tables.desk import TableDesk
from gui.session.session import Session
from gui.settings import Settings
from gui.theme import GRID
from gui.widgets import EmptyState

_LOADING = "Models under attacks, as a table. It can be set up here as soon as the engine is loaded."


class TablesPanel(QWidget):
    """An empty state at first, then the `TableDesk`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(_LOADING, "mdi6.table-large", self))
        session.engineReady.connect(self._on_ready)

    @property
    def built(self) -> bool:
        """Whether the desk is there."""
        return self._pages.count() > 1

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_ready()

    def minimumSizeHint(self) -> QSize:
        return QSize(34 * GRID, 20 * GRID)

    @Slot()
    def _on_ready(self) -> None:
        if self.session.ready and not self.built and self.isVisible():
            last = Settings().text(work.LAST)
            self.session.ask("tables", lambda: work.parts(last), self._build, what="Listing models and attacks")

    def _build(self, parts: work.Parts) -> None:
        if not self.built:
            self.desk = TableDesk(self.session, parts, self)
            self._pages.addWidget(self.desk)
            self._pages.setCurrentWidget(self.desk)
