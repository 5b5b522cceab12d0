"""DockTitle: a dock's title bar with a button to float and one to close it. Qt's own title bar cuts the text in some styles."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDockWidget, QGridLayout, QSpacerItem, QToolButton, QWidget

from gui import theme
from gui.widgets import ElidedLabel

MINIMUM_WIDTH = 260
"""No panel is narrower than this, in logical pixels. The title bar sees to it, since Qt would mix a least
size of the dock's own with the one that it sets while the dock floats."""
MARGINS = (theme.GRID, 2, 4, 2)


class DockTitle(QWidget):
    """A title bar that leaves mouse events to the dock, so that the dock is dragged and double-clicked as usual."""

    floatAsked = Signal()

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._tabbed = self._slim = False
        self.setObjectName("dockTitle")
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(*MARGINS)
        grid.setSpacing(0)
        grid.setColumnStretch(0, 1)
        grid.addItem(QSpacerItem(MINIMUM_WIDTH - MARGINS[0] - MARGINS[2], 0), 1, 0, 1, 3)
        label = self._label = ElidedLabel(dock.windowTitle())
        font = label.font()
        font.setBold(True)
        label.setFont(font)
        grid.addWidget(label, 0, 0)
        self.float_button = self._button("Float", "mdi6.dock-window", self.floatAsked)
        self.close_button = self._button("Close", "mdi6.close", dock.close)
        grid.addWidget(self.float_button, 0, 1)
        grid.addWidget(self.close_button, 0, 2)

    def set_slim(self, tabbed: bool) -> None:
        """Take no room while the dock shares its place, where the tab is the title."""
        self._tabbed = tabbed
        self._follow()

    @Slot(bool)
    def set_floating(self, _floating: bool) -> None:
        """Appear while the dock floats, where there is no tab."""
        self._follow()

    def _follow(self) -> None:
        slim = self._tabbed and not self._dock.isFloating()
        if slim != self._slim:
            self._slim = slim
            for child in (self._label, self.float_button, self.close_button):
                child.setVisible(not slim)
            self._grid.setContentsMargins(*((MARGINS[0], 0, MARGINS[2], 0) if slim else MARGINS))

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
