"""Centre: the window's central widget, a column of the canvas's header, the canvas, and its foot."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme


class Centre(QWidget):
    """The canvas between two slots: the header holds its view options and tools, the foot its timeline. An empty slot takes no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("centre")
        self.header: QWidget | None = None
        self.canvas: QWidget = _waiting()
        self.foot: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.canvas, 1)

    def set_header(self, widget: QWidget | None) -> None:
        """Put a widget above the canvas in place of the one that was there; None leaves the slot empty."""
        self.header = self._replace(self.header, widget, 0)

    def set_canvas(self, widget: QWidget) -> None:
        """Put a canvas in place of the one that was there."""
        self._replace(self.canvas, widget, 0 if self.header is None else 1)
        self._column.setStretchFactor(widget, 1)
        self.canvas = widget

    def set_foot(self, widget: QWidget | None) -> None:
        """Put a widget below the canvas in place of the one that was there; None leaves the slot empty."""
        self.foot = self._replace(self.foot, widget, -1)

    def _replace(self, old: QWidget | None, new: QWidget | None, place: int) -> QWidget | None:
        if old is not None and old is not new:
            self._column.removeWidget(old)
            old.deleteLater()
        if new is not None and old is not new:
            self._column.insertWidget(place, new)
        return new

    def minimumSizeHint(self) -> QSize:
        """Return the canvas's least size with its slots: a header that needs more width hides what does not fit."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 34 * theme.GRID), hint.height())


def _waiting() -> QWidget:
    """Return the placeholder of the canvas until it is built."""
    label = QLabel("Loading…")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label
