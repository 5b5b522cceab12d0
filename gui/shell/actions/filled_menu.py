"""FilledMenu: a menu whose entries are made whenever it opens, since what it lists changes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QMenu

from gui.shell.actions.shell import Shell
from gui.widgets.literal import literal


class FilledMenu(QMenu):
    """The base class of menus of recent files, sessions and experiments. A subclass adds its entries in `fill`."""

    nothing = ""
    """The disabled entry of a menu that lists nothing."""

    def __init__(self, title: str, shell: Shell) -> None:
        super().__init__(title, shell.window())
        self.shell = shell
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._on_opening)

    def fill(self) -> None:
        """Add the entries with `offer`."""
        raise NotImplementedError

    def offer(self, text: str, tip: str, do: Callable[[], object]) -> None:
        """Add an entry, enabled once the engine is loaded."""
        action = self.addAction(literal(text))
        action.setToolTip(tip)
        action.setEnabled(self.shell.session.ready)
        action.triggered.connect(lambda: do())

    @Slot()
    def _on_opening(self) -> None:
        self.clear()
        self.fill()
        if self.isEmpty():
            self.addAction(self.nothing).setEnabled(False)
