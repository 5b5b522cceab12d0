"""Dock: a panel's dock widget. It has no title where the tab is the title, and a frame where it floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QDockWidget, QWidget

from gui import theme
from gui.shell.dock_title import MINIMUM_WIDTH, DockTitle

if TYPE_CHECKING:
    from gui.shell.docks import DockSpec

OFFSET = 4 * theme.GRID
"""How far from its old place a dock floats, so that one sees that it does."""


class Dock(QDockWidget):
    """A dock of the table with its title bar; until its panel is built it holds a placeholder."""

    def __init__(self, spec: DockSpec, parent: QWidget) -> None:
        super().__init__(spec.title, parent)
        self.name = spec.name
        self.setObjectName(f"dock.{spec.name}")
        self._title = DockTitle(self)
        self._title.floatAsked.connect(self.switch_floating)
        self.setTitleBarWidget(self._title)
        self.setWidget(_Placeholder())
        self.topLevelChanged.connect(self._title.set_floating)

    def set_tabbed(self, tabbed: bool) -> None:
        """Hide the title where the dock shares its place, since the tab is the title."""
        self._title.set_slim(tabbed)

    @Slot()
    def switch_floating(self) -> None:
        """Let the dock float beside its old place, or dock it again."""
        if self.isFloating():
            self.setFloating(False)
            return
        corner, size = self.mapToGlobal(QPoint(0, 0)), self.size()
        self.setFloating(True)
        room = self.screen().availableGeometry()
        size = size.boundedTo(room.size())
        place = corner + QPoint(OFFSET, OFFSET)
        self.setGeometry(
            max(room.left(), min(place.x(), room.right() - size.width())),
            max(room.top(), min(place.y(), room.bottom() - size.height())),
            size.width(),
            size.height(),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isFloating():
            painter = QPainter(self)
            painter.setPen(theme.pen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


class _Placeholder(QWidget):
    """A placeholder of a panel until it is built."""

    def sizeHint(self) -> QSize:
        return QSize(MINIMUM_WIDTH, 16 * theme.GRID)
