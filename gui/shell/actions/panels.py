"""PanelActions: one command for each dock, which shows it or, where it is in front, closes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QMainWindow

from gui import theme
from gui.shell.actions.shell import Shell
from gui.shell.dock import Dock
from gui.shell.docks import DockSpec


class PanelActions(QObject):
    """The QActions of the docks, by name. A check mark says that the dock is in sight, a dot that it has news."""

    def __init__(self, shell: Shell, window: QMainWindow, docks: Mapping[str, Dock], specs: Sequence[DockSpec]) -> None:
        super().__init__(window)
        self._shell, self._docks = shell, docks
        self._tabs = shell.workspaces.tabs
        self._dot = theme.icon("mdi6.circle-medium", theme.ADVERSARIAL)
        self._by_name = {spec.name: self._make(spec, window) for spec in specs}
        self._tabs.changed.connect(self._follow)

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    @property
    def all(self) -> list[QAction]:
        """All of them, in the order of the table."""
        return list(self._by_name.values())

    def _make(self, spec: DockSpec, window: QMainWindow) -> QAction:
        action = QAction(spec.title, window)
        action.setObjectName(f"action.dock.{spec.name}")
        action.setCheckable(True)
        action.setShortcut(QKeySequence(spec.keys))
        keys = f" ({spec.keys})" if spec.keys else ""
        action.setToolTip(f"Show “{spec.title}”, or close it if it is in front{keys}")
        action.triggered.connect(partial(self._switch, spec.name))
        window.addAction(action)
        return action

    def _switch(self, name: str, *_: object) -> None:
        if self._tabs.in_sight(name):
            self._docks[name].close()
        else:
            self._shell.bring_up(name)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        for name, action in self._by_name.items():
            action.setChecked(self._tabs.in_sight(name))
            news = name in self._tabs.news
            if news == action.icon().isNull():
                action.setIcon(self._dot if news else QIcon())
