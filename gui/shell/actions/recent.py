"""RecentMenu: the images, records and studies that were opened last, below *Open image*."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QMenu

from gui.settings import RECENT_KINDS
from gui.shell.actions.file import open_path
from gui.shell.actions.shell import Shell
from gui.widgets.literal import literal


class RecentMenu(QMenu):
    """A submenu that is filled whenever it opens."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("Open recent", shell.window())
        self._shell = shell
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    @Slot()
    def _fill(self) -> None:
        self.clear()
        settings = self._shell.settings
        for kind in RECENT_KINDS:
            paths = settings.recent(kind)
            if paths and not self.isEmpty():
                self.addSection(kind.capitalize())
            for path in paths:
                self._add(path)
        if self.isEmpty():
            self.addAction("No file was opened yet").setEnabled(False)
        else:
            self.addSeparator()
            self.addAction("Clear").triggered.connect(settings.clear_recent)

    def _add(self, path: Path) -> None:
        action = self.addAction(literal(path.name))
        action.setToolTip(str(path))
        action.setEnabled(self._shell.session.ready)
        action.triggered.connect(lambda: open_path(self._shell, path))
