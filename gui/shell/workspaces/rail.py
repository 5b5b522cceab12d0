"""Rail: the narrow tool bar at the left that exchanges the workspaces."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QToolBar, QToolButton, QWidget

from gui import theme

ICON = QSize(22, 22)
NAMED_HEIGHT = 7 * theme.GRID
"""The height of a button with its name, about."""


class Rail(QToolBar):
    """A column of buttons with icon and name. It never moves."""

    def __init__(self, window: QMainWindow, workspaces: Sequence[QAction], foot: Sequence[QAction]) -> None:
        super().__init__("Workspaces", window)
        self.setObjectName("toolbar.rail")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.setOrientation(Qt.Orientation.Vertical)
        self.setIconSize(ICON)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setProperty("rail", True)
        self._buttons: list[QToolButton] = []
        for action in workspaces:
            self._add(action)
        spring = QWidget()
        spring.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.addWidget(spring)
        for action in foot:
            self._add(action)
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(0, 0, 0, 0)
        window.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self)

    def _add(self, action: QAction) -> None:
        self.addAction(action)
        button = self.widgetForAction(action)
        assert isinstance(button, QToolButton)
        font = button.font()
        font.setPointSizeF(max(6.5, 0.82 * font.pointSizeF()))
        button.setFont(font)
        button.setFixedWidth(7 * theme.GRID)
        button.setAccessibleName(action.text())
        button.setProperty("dressed", True)
        self._buttons.append(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the names out where the window is too low for them; the tool tips have them."""
        super().resizeEvent(event)
        named = self.height() >= len(self._buttons) * NAMED_HEIGHT
        style = Qt.ToolButtonStyle.ToolButtonTextUnderIcon if named else Qt.ToolButtonStyle.ToolButtonIconOnly
        if self.toolButtonStyle() != style:
            self.setToolButtonStyle(style)
