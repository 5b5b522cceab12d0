"""RecentMenu: the images, records and studies that were opened last, below *Open image*."""

from __future__ import annotations

from functools import partial

from gui.settings import RECENT_KINDS
from gui.shell.actions.file import open_path
from gui.shell.actions.filled_menu import FilledMenu
from gui.shell.actions.shell import Shell


class RecentMenu(FilledMenu):
    """The recent files by kind, and a command that forgets them."""

    nothing = "No file was opened yet"

    def __init__(self, shell: Shell) -> None:
        super().__init__("Open recent", shell)

    def fill(self) -> None:
        settings = self.shell.settings
        for kind in RECENT_KINDS:
            paths = settings.recent(kind)
            if paths and not self.isEmpty():
                self.addSection(kind.capitalize())
            for path in paths:
                self.offer(path.name, str(path), partial(open_path, self.shell, path))
        if not self.isEmpty():
            self.addSeparator()
            self.addAction("Clear").triggered.connect(settings.clear_recent)
