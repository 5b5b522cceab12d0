"""Centre: the window's central widget, a column of the canvas's header, the canvas, and its foot."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme


class Centre(QWidget):
    """The canvas between two slots: the header holds its view options and tools, the foot its timeline. An empty slot takes no room.

    Until `lift_veil` is called, a sentence stands over the canvas, which would else invite to what is not possible yet.
    """

    headerDoubleClicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("centre")
        self.header: QWidget | None = None
        self.canvas = QWidget(self)
        self.canvas.installEventFilter(self)
        self.foot: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.canvas, 1)
        self._veil: QLabel | None = _veil(self)

    def lift_veil(self) -> None:
        """Show the canvas, since the engine is loaded."""
        if self._veil is not None:
            self._veil.deleteLater()
            self._veil = None
            self.canvas.removeEventFilter(self)

    def set_header(self, widget: QWidget | None) -> None:
        """Put a widget above the canvas in place of the one that was there; None leaves the slot empty."""
        self.header = self._replace(self.header, widget, 0)
        if widget is not None:
            widget.installEventFilter(self)

    def set_canvas(self, widget: QWidget) -> None:
        """Put a canvas in place of the one that was there."""
        self._replace(self.canvas, widget, 0 if self.header is None else 1)
        self._column.setStretchFactor(widget, 1)
        self.canvas = widget
        if self._veil is not None:
            widget.installEventFilter(self)
            self._place_veil()

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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the canvas with the veil, and notice a double click on the header beside its buttons."""
        if watched is self.canvas and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place_veil()
        elif watched is self.header and event.type() == QEvent.Type.MouseButtonDblClick:
            self.headerDoubleClicked.emit()
            return True
        return False

    def _place_veil(self) -> None:
        if self._veil is not None:
            self._veil.setGeometry(self.canvas.geometry())
            self._veil.raise_()

    def minimumSizeHint(self) -> QSize:
        """Return the canvas's least size with its slots: a header that needs more width hides what does not fit."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 34 * theme.GRID), hint.height())


def _veil(parent: QWidget) -> QLabel:
    """Return the sentence that covers the canvas while the engine is loading."""
    label = QLabel("Loading…", parent)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setAutoFillBackground(True)
    return label
