"""Proportions: where no canvas stands between the columns, they keep their shares of a window that changes its size."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from gui.shell.dock import Dock

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


class Proportions(QObject):
    """Qt divides new room evenly among the columns: a form would grow as much as the curves beside it, which are to be large."""

    def __init__(self, window: QMainWindow, centre: QWidget, docks: Mapping[str, Dock]) -> None:
        super().__init__(window)
        self._window, self._centre, self._docks = window, centre, docks
        self._before: dict[QObject, QSize] = {}
        """The sizes of the window and of its docks before the changes in progress. Qt has laid the docks out before the window's
        own event is seen, so that theirs have to be watched, too."""
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._restore)
        for widget in (window, *docks.values()):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QResizeEvent) and event.oldSize().isValid() and self._window.isVisible():
            self._before.setdefault(watched, event.oldSize())
            self._later.start()
        return False

    @Slot()
    def _restore(self) -> None:
        before, self._before = self._before, {}
        if self._window not in before or not self._centre.isHidden():
            return
        seen = [dock for dock in self._docks.values() if not dock.isFloating() and not dock.visibleRegion().isEmpty()]
        fronts = {self._window.dockWidgetArea(dock): dock for dock in reversed(seen)}
        if _LEFT in fronts and _RIGHT in fronts:
            pair = [fronts[_LEFT], fronts[_RIGHT]]
            old = [before.get(dock, dock.size()).width() for dock in pair]
            room = sum(dock.width() for dock in pair)
            left = round(room * old[0] / max(1, sum(old)))
            self._window.resizeDocks(pair, [left, room - left], Qt.Orientation.Horizontal)
