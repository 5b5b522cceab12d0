"""ReproduceMenu: the experiments of the lectures, each of which opens in the Reproduce window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QMenu

from gui.shell.actions.shell import Shell
from gui.widgets.literal import literal

if TYPE_CHECKING:
    from gui.panels.experiments.panel import ReproduceWindow


class ReproduceMenu(QMenu):
    """A menu that is filled whenever it opens, and that keeps the Reproduce window."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("Reproduce", shell.window())
        self._shell = shell
        self._experiments: ReproduceWindow | None = None
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def open_experiment(self, slug: str) -> None:
        """Open the Reproduce window with an experiment."""
        from gui.panels.experiments.panel import ReproduceWindow

        if self._experiments is None:
            self._experiments = ReproduceWindow(self._shell.session, self._shell.settings, self._shell.window())
        self._experiments.choose(slug)
        self._experiments.show()
        self._experiments.raise_()

    @Slot()
    def _fill(self) -> None:
        self.clear()
        if not self._shell.session.ready:
            self.addAction("The engine is loading").setEnabled(False)
            return
        from engine.reproduce import CATALOGUE

        for slug, kind in CATALOGUE.items():
            action = self.addAction(literal(f"{kind.title}…"))
            action.setToolTip(f"{kind.source}\n{kind.paper}".strip())
            action.triggered.connect(lambda _checked=False, slug=slug: self.open_experiment(slug))
