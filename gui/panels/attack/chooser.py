"""Chooser: the button with the attack's title, which opens the list of attacks."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.panels.attack.catalogue import CatalogueList
from gui.theme import GRID
from gui.widgets.literal import literal


class Chooser(QPushButton):
    """A button that shows the chosen attack, and opens the list below itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self.setStyleSheet("QPushButton { text-align: left; font-weight: 600; }")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(28)
        self.setAccessibleName("Attack")
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.popup.setFrameShape(QFrame.Shape.StyledPanel)
        self.list = CatalogueList(self.popup)
        layout = QVBoxLayout(self.popup)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.list)
        self.clicked.connect(self.open)
        self.list.settled.connect(self.popup.hide)

    def set_title(self, title: str) -> None:
        """Set the title of the chosen attack."""
        self._title = title
        self._fit()

    def _fit(self) -> None:
        """Shorten the title to the button's width."""
        arrow = "  ▾"
        room = self.width() - 2 * GRID - self.fontMetrics().horizontalAdvance(f" {arrow}")
        shown = self.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        self.setText(literal(f" {shown}{arrow}"))
        self.setToolTip("Choose another attack" if shown == self._title else f"{self._title}\nChoose another attack")

    def minimumSizeHint(self) -> QSize:
        return QSize(12 * GRID, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @Slot()
    def open(self) -> None:
        """Open the list with the focus in its search field, below the button, within the screen and at most as high as the window."""
        self.list.search.clear()
        self.list.norms.buttons[""].setChecked(True)
        screen, window = self.screen().availableGeometry(), self.window()
        below = self.mapToGlobal(self.rect().bottomLeft())
        width = min(max(self.width(), self.list.wanted_width + 2 * GRID + 2), screen.width() - 2 * GRID)
        floor = min(screen.bottom(), window.mapToGlobal(window.rect().bottomLeft()).y()) - GRID
        height = self.list.wanted_height + 2 * GRID + 2
        if below.y() + height > floor:
            height = max(min(height, 40 * GRID), floor - below.y())
        self.popup.setFixedSize(width, min(height, screen.height() - 2 * GRID))
        left = max(screen.left(), min(below.x(), screen.right() - width))
        top = max(screen.top(), min(below.y(), screen.bottom() - self.popup.height()))
        self.popup.move(QPoint(left, top))
        self.popup.show()
        self.list.search.setFocus()
