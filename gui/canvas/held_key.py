"""HeldKey: waits for the release of a key that a shortcut has seen pressed, since shortcuts tell of the press alone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication


class HeldKey(QObject):
    """Watches the application's events between `wait` and the release of the key, or until the window loses the keyboard."""

    released = Signal()

    def __init__(self, key: Qt.Key, parent: QObject) -> None:
        super().__init__(parent)
        self._key = key
        self._waiting = False

    def wait(self) -> None:
        """Begin to wait; ``released`` is emitted once."""
        application = QApplication.instance()
        if not self._waiting and application is not None:
            self._waiting = True
            application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        let_go = isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyRelease and event.key() == self._key and not event.isAutoRepeat()
        if let_go or kind in (QEvent.Type.WindowDeactivate, QEvent.Type.ApplicationStateChange):
            self._end()
        return False

    def _end(self) -> None:
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        if self._waiting:
            self._waiting = False
            self.released.emit()
