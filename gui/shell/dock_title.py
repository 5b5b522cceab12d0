"""DockTitle: a dock's title bar with a button to float and one to close it. Qt's own title bar cuts the text in some styles."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QToolButton, QWidget

from gui import theme
from gui.widgets import ElidedLabel


class DockTitle(QWidget):
    """A title bar that leaves mouse events to the dock, so that the dock is dragged and double-clicked as usual."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self.setObjectName("dockTitle")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID, 2, 4, 2)
        row.setSpacing(0)
        label = ElidedLabel(dock.windowTitle())
        font = label.font()
        font.setBold(True)
        label.setFont(font)
        row.addWidget(label, 1)
        row.addWidget(self._button("Float", "mdi6.dock-window", self._float))
        row.addWidget(self._button("Close", "mdi6.close", dock.close))

    def _button(self, verb: str, icon: str, slot: object) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon(icon))
        button.setAutoRaise(True)
        button.setIconSize(button.iconSize() * 0.7)
        title = self._dock.windowTitle()
        button.setAccessibleName(f"{verb} {title}")
        button.setToolTip(f"{verb} “{title}”; the View menu brings it back" if verb == "Close" else f"{verb} “{title}”, or dock it again")
        button.clicked.connect(slot)
        return button

    @Slot()
    def _float(self) -> None:
        self._dock.setFloating(not self._dock.isFloating())
