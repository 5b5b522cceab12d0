"""DockTabs: the tab bars of docks that share a place, with a menu for each tab and a dot where there is news."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon, QMouseEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QTabBar

from gui import theme
from gui.shell.dock import Dock
from gui.shell.workspaces.placing import AREAS


class DockTabs(QObject):
    """Follows the tab bars, which Qt makes and removes as docks are moved."""

    changed = Signal()
    """Which docks share a place, or which of them have news, has changed."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._by_address = {shiboken6.getCppPointer(dock)[0]: dock for dock in docks.values()}
        self._news: set[str] = set()
        self._bars: set[int] = set()
        self._dot = theme.icon("mdi6.circle-medium", theme.ADVERSARIAL)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.sync)
        for dock in docks.values():
            dock.dockLocationChanged.connect(self._soon)
            dock.topLevelChanged.connect(self._soon)
            dock.visibilityChanged.connect(self._soon)

    @Slot()
    def _soon(self) -> None:
        self._later.start()

    # ------------------------------------------------------------------ what is seen

    def in_sight(self, name: str) -> bool:
        """Return whether a dock is seen: it is neither hidden nor behind another tab."""
        dock = self._docks[name]
        return dock.isVisible() and (dock.isFloating() or self.front_of(name))

    def front_of(self, name: str) -> bool:
        """Return whether a dock is the front tab of its place, or has the place to itself."""
        found = self._tab(self._docks[name])
        return found is None or found[0].currentIndex() == found[1]

    def _tab(self, dock: Dock) -> tuple[QTabBar, int] | None:
        for bar in self._tab_bars():
            for index in range(bar.count()):
                if self._dock_at(bar, index) is dock:
                    return bar, index
        return None

    def _tab_bars(self) -> list[QTabBar]:
        return self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)

    def _dock_at(self, bar: QTabBar, index: int) -> Dock | None:
        """Return the dock of a tab, which Qt marks with the dock's address."""
        return self._by_address.get(bar.tabData(index))

    # ------------------------------------------------------------------ news

    @property
    def news(self) -> frozenset[str]:
        """The names of the docks that have news."""
        return frozenset(self._news)

    def add_news(self, name: str) -> None:
        """Mark a dock with a dot until it is looked at, unless it is in sight already."""
        if name in self._docks and not self.in_sight(name):
            self._news.add(name)
            self.sync()

    # ------------------------------------------------------------------ the bars

    @Slot()
    def sync(self) -> None:
        """Give every dock a title or none, and every tab its dot."""
        self._news = {name for name in self._news if not self.in_sight(name)}
        for dock in self._docks.values():
            others = self._window.tabifiedDockWidgets(dock)
            dock.set_tabbed(any(not other.isHidden() and not other.isFloating() for other in others))
        for bar in self._tab_bars():
            self._set_up(bar)
            self._keep_in_place(bar)
            for index in range(bar.count()):
                shown = self._dock_at(bar, index)
                dotted = shown is not None and shown.name in self._news
                if dotted == bar.tabIcon(index).isNull():
                    bar.setTabIcon(index, self._dot if dotted else QIcon())
        self.changed.emit()

    def _keep_in_place(self, bar: QTabBar) -> None:
        """Hide a bar that is the title of no two docks, and show one that is.

        Qt keeps a bar of a lone dock, and one that it has no use for any more, out of sight by its place only, which can be left where an
        earlier layout had put it.
        """
        shown = [self._dock_at(bar, index) for index in range(bar.count())]
        used = len(shown) > 1 and all(dock is not None and not dock.isHidden() and not dock.isFloating() for dock in shown)
        if used or self._window.rect().intersects(bar.geometry()):
            bar.setVisible(used)

    def _set_up(self, bar: QTabBar) -> None:
        if id(bar) in self._bars:
            return
        self._bars.add(id(bar))
        bar.destroyed.connect(partial(self._bars.discard, id(bar)))
        bar.setAccessibleName("Panels")
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        bar.customContextMenuRequested.connect(partial(self._show_menu, bar))
        bar.installEventFilter(self)

    def eventFilter(self, bar: QObject, event: QEvent) -> bool:
        """Float a dock whose tab is double-clicked, and close one that is clicked with the middle button."""
        if isinstance(event, QMouseEvent) and isinstance(bar, QTabBar):
            dock = self._dock_at(bar, bar.tabAt(event.position().toPoint()))
            if dock is not None and event.type() == QEvent.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton:
                dock.switch_floating()
                return True
            if dock is not None and event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.MiddleButton:
                dock.close()
                return True
        return False

    def _show_menu(self, bar: QTabBar, at: QPoint) -> None:
        dock = self._dock_at(bar, bar.tabAt(at))
        if dock is not None:
            self.menu(dock).popup(bar.mapToGlobal(at))

    def menu(self, dock: Dock) -> QMenu:
        """Return the menu of a dock's tab."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("mdi6.dock-window"), "Float", dock.switch_floating)
        for side, area in AREAS.items():
            action = menu.addAction(theme.icon(f"mdi6.dock-{side}"), f"Move to the {side}")
            action.setEnabled(self._window.dockWidgetArea(dock) != area)
            action.triggered.connect(partial(self._move, dock, area))
        menu.addSeparator()
        menu.addAction(theme.icon("mdi6.close"), "Close", dock.close)
        return menu

    def _move(self, dock: Dock, area: Qt.DockWidgetArea, *_: object) -> None:
        """Move a dock to an edge, as the front tab beside a dock that is there."""
        there = next((d for d in self._docks.values() if self._window.dockWidgetArea(d) == area and not d.isHidden()), None)
        self._window.removeDockWidget(dock)
        self._window.addDockWidget(area, dock)
        if there is not None:
            self._window.tabifyDockWidget(there, dock)
        dock.show()
        dock.raise_()
