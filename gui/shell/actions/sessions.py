"""SessionsMenu: the earlier sessions that were never saved on demand."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QMenu

from gui.session.studies.places import session_title
from gui.shell.actions.shell import Shell
from gui.shell.opening import open_file
from gui.widgets.literal import literal


class SessionsMenu(QMenu):
    """A submenu that is filled whenever it opens."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("Open earlier session", shell.window())
        self._shell = shell
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    @Slot()
    def _fill(self) -> None:
        self.clear()
        for path in self._shell.session.studies.recent_sessions:
            action = self.addAction(literal(session_title(path)))
            action.setToolTip(str(path))
            action.setEnabled(self._shell.session.ready)
            action.triggered.connect(lambda _checked=False, path=path: open_file(self._shell, path))
        if self.isEmpty():
            self.addAction("No other session is kept").setEnabled(False)
