"""SessionsMenu: the earlier sessions that were never saved on demand."""

from __future__ import annotations

from functools import partial

from gui.session.studies.places import session_title
from gui.shell.actions.filled_menu import FilledMenu
from gui.shell.actions.shell import Shell
from gui.shell.opening import open_file


class SessionsMenu(FilledMenu):
    """The sessions that the window keeps, the newest first."""

    nothing = "No other session is kept"

    def __init__(self, shell: Shell) -> None:
        super().__init__("Open earlier session", shell)

    def fill(self) -> None:
        for path in self.shell.session.studies.recent_sessions:
            self.offer(session_title(path), str(path), partial(open_file, self.shell, path))
