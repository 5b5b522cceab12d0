"""Drawer: the docks at the bottom, which fold to a strip of their names and open again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QMainWindow, QToolBar, QToolButton

from gui import theme
from gui.shell.dock import Dock
from gui.shell.workspaces.placing import AREAS
from gui.shell.workspaces.tabs import DockTabs


class Drawer(QToolBar):
    """The strip below the canvas that names the folded docks. It is seen while there are any; a click opens them."""

    switched = Signal()
    """The drawer was opened or closed."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock], tabs: DockTabs) -> None:
        super().__init__("Drawer", window)
        self.setObjectName("toolbar.drawer")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.setIconSize(QSize(14, 14))
        self.setProperty("strip", True)
        self._window, self._docks, self._tabs = window, docks, tabs
        self._folded: tuple[str, ...] = ()
        self._buttons: dict[str, QToolButton] = {}
        self._dotted: frozenset[str] = frozenset()
        self._dot, self._chevron = theme.icon("mdi6.circle-medium", theme.ADVERSARIAL), theme.icon("mdi6.chevron-up")
        tabs.changed.connect(self._follow)
        window.addToolBar(Qt.ToolBarArea.BottomToolBarArea, self)
        self.hide()

    # ------------------------------------------------------------------ folding

    @property
    def folded(self) -> tuple[str, ...]:
        """The names of the docks that opening brings back, the one in front first."""
        return self._folded

    @property
    def is_open(self) -> bool:
        """Whether a dock is at the bottom and not hidden."""
        return bool(self._standing())

    def _standing(self) -> list[str]:
        bottom = AREAS["bottom"]
        return [
            name
            for name, dock in self._docks.items()
            if not dock.isHidden() and not dock.isFloating() and self._window.dockWidgetArea(dock) == bottom
        ]

    def set_folded(self, names: tuple[str, ...]) -> None:
        """Hide docks and name them in the strip; none closes the strip."""
        self._folded = ()  # while the docks are being hidden one by one
        known = tuple(name for name in names if name in self._docks)
        for name in known:
            self._docks[name].hide()
        self._folded = known
        self._fill()

    @Slot()
    def toggle(self) -> None:
        """Close the drawer, or open it."""
        if self.is_open:
            self.fold()
        else:
            self.unfold()

    def fold(self) -> None:
        """Hide the docks at the bottom."""
        standing = self._standing()
        standing.sort(key=lambda name: not self._tabs.front_of(name))
        self.set_folded(tuple(standing))
        self.switched.emit()

    def unfold(self, front: str = "") -> None:
        """Show the folded docks again, one of them in front."""
        names, self._folded = self._folded, ()
        for name in names:
            self._docks[name].show()
        self._fill()
        front = front or next(iter(names), "")
        if front:
            self._docks[front].raise_()
        self._tabs.sync()
        self.switched.emit()

    @Slot()
    def _follow(self) -> None:
        """Forget docks that were brought back one by one, and show which have news."""
        remaining = tuple(name for name in self._folded if self._docks[name].isHidden())
        if remaining != self._folded:
            self._folded = remaining
            self._fill()
        self._show_news()

    # ------------------------------------------------------------------ the strip

    def _fill(self) -> None:
        order = [name for name in self._docks if name in self._folded]
        self.setVisible(bool(order))
        if order == list(self._buttons):
            return
        self.clear()
        self._buttons, self._dotted = {}, frozenset()
        for name in order:
            title = self._docks[name].windowTitle()
            button = self._buttons[name] = QToolButton()
            button.setText(title)
            button.setIcon(self._chevron)
            button.setToolButtonStyle(theme.TEXT_BESIDE_ICON)
            button.setAccessibleName(f"Open {title}")
            button.setToolTip(f"Open the drawer with “{title}” in front (Ctrl+J opens and closes it)")
            button.clicked.connect(partial(self.unfold, name))
            self.addWidget(button)
        self._show_news()

    def _show_news(self) -> None:
        dotted = self._tabs.news & self._buttons.keys()
        for name in dotted ^ self._dotted:
            self._buttons[name].setIcon(self._dot if name in dotted else self._chevron)
        self._dotted = frozenset(dotted)
