"""Popup: a framed window that opens below a button, and the placing of one within screen and window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QFrame, QVBoxLayout, QWidget

from gui.theme import GRID
from gui.widgets.popup_keys import PopupKeys

_LEAST = 40 * GRID
"""The height that a popup keeps where the window is too low for it."""


class Popup(QFrame):
    """A framed window around one widget. A click outside closes it; one on its own button does nothing else.

    The shortcuts of the window below close it, too, and do their work.
    """

    closed = Signal()

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._anchor: QWidget | None = None
        self._keys = PopupKeys(self)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)  # the own button would open the popup again
        self.content = content
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(content)

    def open_below(self, anchor: QWidget) -> None:
        """Open below a widget, within the screen and at most as high as the widget's window."""
        self._anchor = anchor
        self.ensurePolished()
        self.fit()
        self.show()

    @Slot()
    def fit(self) -> None:
        """Take the size that the content wants, after its rows were replaced."""
        anchor = self._anchor
        if anchor is None:
            return
        room = anchor.screen().availableGeometry()
        window = anchor.window()
        floor = min(room.bottom(), window.mapToGlobal(window.rect().bottomLeft()).y())
        self._layout.activate()
        edges = self.contentsMargins() + self._layout.contentsMargins()
        inner = self.content.sizeHint().expandedTo(self.content.minimumSizeHint()).expandedTo(self.content.minimumSize()).grownBy(edges)
        wanted = inner.expandedTo(QSize(anchor.width(), 0))
        if self.hasHeightForWidth():  # sentences that wrap
            wanted.setHeight(max(wanted.height(), self.heightForWidth(wanted.width())))
        place = placed(wanted, anchor.mapToGlobal(anchor.rect().bottomLeft()), floor, room)
        self.setFixedSize(place.size())
        self.move(place.topLeft())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close after a press outside. A press on another button works at once; not every platform would pass it on."""
        super().mousePressEvent(event)
        below = QApplication.widgetAt(event.globalPosition().toPoint())
        if not self.isVisible() and isinstance(below, QAbstractButton) and below is not self._anchor and below.isEnabled():
            QTimer.singleShot(0, below, below.click)

    def event(self, event: QEvent) -> bool:
        """Let the shortcuts of the window close the popup and do their work."""
        if event.type() == QEvent.Type.ShortcutOverride:
            self._keys.override(event)
        return super().event(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._keys.forget()
        self.closed.emit()


def placed(wanted: QSize, below: QPoint, floor: int, room: QRect) -> QRect:
    """Return the place of a popup of a size: below a point, above ``floor`` where that leaves it a useful height, within ``room``."""
    width = min(wanted.width(), room.width() - 2 * GRID)
    height = wanted.height()
    if below.y() + height > floor - GRID:
        height = max(min(height, _LEAST), floor - GRID - below.y())
    height = min(height, room.height() - 2 * GRID)
    left = max(room.left(), min(below.x(), room.right() - width))
    top = max(room.top(), min(below.y(), room.bottom() - height))
    return QRect(left, top, width, height)
