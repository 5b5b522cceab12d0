"""News: which dock has something new, from the session's signals. It becomes a dot on the tab; nothing is pushed to the front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from gui.session.log_entry import LogEntry
from gui.session.session import Session

if TYPE_CHECKING:
    from gui.shell.workspaces.tabs import DockTabs


class News(QObject):
    """Reports finished runs to Results, warnings and errors to Messages, and the end of long work to its panel."""

    def __init__(self, session: Session, tabs: DockTabs) -> None:
        super().__init__(tabs)
        self._session, self._tabs = session, tabs
        self._newest = 0
        self._working: frozenset[str] = frozenset()
        session.history.changed.connect(self._on_history)
        session.logged.connect(self._on_logged)
        session.jobs.changed.connect(self._on_jobs)

    @Slot()
    def _on_history(self) -> None:
        newest = max((entry.number for entry in self._session.history.entries), default=0)
        if newest > self._newest:
            self._newest = newest
            self._tabs.add_news("results")

    @Slot(object)
    def _on_logged(self, entry: LogEntry) -> None:
        if entry.kind in ("warning", "error"):
            self._tabs.add_news("messages")

    @Slot()
    def _on_jobs(self) -> None:
        working = frozenset(work.panel for work in self._session.jobs.running)
        for panel in self._working - working:
            self._tabs.add_news(panel)
        self._working = working
