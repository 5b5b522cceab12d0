"""StudyLink: connects the study with the window: its title, the recent studies, and the study that the next start opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from gui.shell.last_study import LAST
from gui.widgets.literal import literal_title

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from gui.session.session import Session
    from gui.settings import Settings
    from gui.shell.workspaces.workspaces import Workspaces


class StudyLink(QObject):
    """Follows the study of a session; its parent is the window."""

    def __init__(self, session: Session, settings: Settings, workspaces: Workspaces, window: QWidget) -> None:
        super().__init__(window)
        self._window, self._session, self._settings = window, session, settings
        self._workspaces = workspaces
        studies = self._session.studies
        studies.workspace = lambda: workspaces.current.name
        studies.workspaceRestored.connect(self._on_workspace)
        studies.changed.connect(self._on_study)
        studies.saved.connect(self._on_saved)
        self._session.imageChanged.connect(self._show_title)

    @Slot()
    def _on_study(self) -> None:
        path = self._session.studies.path
        if path is not None:
            self._settings.add_recent("studies", path)
        self._keep_last(self._session.studies.file)
        self._show_title()

    @Slot(object)
    def _on_saved(self, path: Path) -> None:
        self._keep_last(path)

    @Slot(str)
    def _on_workspace(self, name: str) -> None:
        if self._workspaces.has(name):
            self._workspaces.switch(name)

    def _keep_last(self, path: Path | None) -> None:
        self._settings.keep_text(LAST, "" if path is None else str(path))
        self._settings.store.sync()  # a crash would lose it otherwise

    @Slot()
    def _show_title(self) -> None:
        parts = (self._session.image.get("name"), self._session.studies.title, "Gibbon")
        self._window.setWindowTitle(literal_title(" – ".join(str(part) for part in parts if part)))
