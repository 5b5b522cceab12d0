"""Vertical scroll areas: around a page, and around rows that are seen whole or not at all."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def scrolling(page: QWidget) -> QScrollArea:
    """Return a frameless scroll area around ``page``, which gets the area's width."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(page.minimumSizeHint().width() + area.verticalScrollBar().sizeHint().width())
    return area


class RowScroll(QScrollArea):
    """A frameless scroll area around a widget of equal rows. It scrolls by whole rows, and shows as many as fit: none is cut."""

    def __init__(self, rows: QWidget, row_height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows, self._row = rows, row_height
        self.setWidget(rows)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(row_height)
        self.verticalScrollBar().setSingleStep(row_height)
        self.verticalScrollBar().valueChanged.connect(self._to_whole)

    def fit(self) -> None:
        """Follow the number of rows or the height: leave the part of a row at the lower edge empty."""
        needed = self._rows.minimumSizeHint().height()
        spare = self.height() % self._row if needed > self.height() > self._row else 0
        if spare != self.viewportMargins().bottom():
            self.setViewportMargins(0, 0, 0, spare)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    @Slot(int)
    def _to_whole(self, value: int) -> None:
        self.verticalScrollBar().setValue(round(value / self._row) * self._row)
