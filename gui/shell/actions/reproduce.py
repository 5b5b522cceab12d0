"""ReproduceMenu: the experiments of the lectures, each of which opens in the Experiments dock."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QMenu

from gui.shell.actions.shell import Shell
from gui.widgets.literal import literal


class ReproduceMenu(QMenu):
    """A menu that is filled whenever it opens."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("Reproduce", shell.window())
        self._shell = shell
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    @Slot()
    def _fill(self) -> None:
        self.clear()
        if not self._shell.session.ready:
            self.addAction("The engine is loading").setEnabled(False)
            return
        from engine.reproduce import CATALOGUE

        for slug, kind in CATALOGUE.items():
            action = self.addAction(literal(kind.title))
            action.setToolTip(f"{kind.source}\n{kind.paper}".strip())
            action.triggered.connect(lambda _checked=False, slug=slug: self._shell.open_experiment(slug))
