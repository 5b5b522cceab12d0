"""RecentMenu: the images that were opened last, below *Open image*."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QMenu

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
        paths = settings.recent_images
        for path in paths:
            action = self.addAction(literal(path.name))
            action.setToolTip(str(path))
            action.setEnabled(self._shell.session.ready)
            action.triggered.connect(lambda _checked=False, path=path: open_path(self._shell, path))
        if paths:
            self.addSeparator()
            self.addAction("Clear").triggered.connect(settings.clear_recent_images)
        else:
            self.addAction("No image was opened yet").setEnabled(False)
