"""The Tables dock. The builder needs the engine, so it is built when the dock is first seen after the engine was loaded."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gui.panels.tables import work
from gui.panels.tables.desk import TableDesk
from gui.session.session import Session
from gui.settings import Settings
from gui.widgets.late_panel import LatePanel

_LOADING = "Models under attacks, as a table. It can be set up here as soon as the engine is loaded."


class TablesPanel(LatePanel):
    """An empty state at first, then the `TableDesk`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _LOADING, "mdi6.table-large", parent)

    def request(self) -> None:
        """Ask for the models, the attacks and the last specification."""
        last = Settings().text(work.LAST)
        self.session.ask("tables", lambda: work.parts(last), self._build, what="Listing models and attacks")

    def _build(self, parts: work.Parts) -> None:
        if not self.built:
            self.desk = TableDesk(self.session, parts, self)
            self.fill(self.desk)
