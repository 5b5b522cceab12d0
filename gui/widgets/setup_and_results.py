"""SetupAndResults: the choices of a long work with its foot at the left, and what comes out at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedLayout, QVBoxLayout, QWidget

from gui.theme import GRID
from gui.widgets.empty import EmptyState
from gui.widgets.scrolling import scrolling

_NARROW = 620
"""Width in pixels below which the choices stand above the results."""
_SIDE = 300


class SetupAndResults(QSplitter):
    """Two parts beside each other, or one above the other where it is narrow. Before there are results, `nothing` says how to get them."""

    def __init__(
        self, setup: QWidget, foot: QWidget, nothing: EmptyState, results: QWidget, *, above: Sequence[QWidget] = (), parent: QWidget
    ) -> None:
        """``above`` stands over the choices, and does not scroll with them."""
        super().__init__(parent)
        side, page, right = QWidget(self), QWidget(self), QWidget(self)
        inner = QVBoxLayout(page)
        inner.setContentsMargins(0, 0, 4, 0)
        inner.addWidget(setup)
        inner.addStretch(1)
        column = QVBoxLayout(side)
        column.setContentsMargins(GRID, 4, GRID, GRID)
        column.setSpacing(4)
        for widget in above:
            column.addWidget(widget)
        column.addWidget(scrolling(page), 1)
        column.addWidget(foot)
        self._pages = QStackedLayout(right)
        self._pages.addWidget(nothing)
        self._pages.addWidget(results)
        self.addWidget(side)
        self.addWidget(right)
        self.setChildrenCollapsible(False)
        self.setStretchFactor(1, 1)
        self.setSizes([_SIDE, 3 * _SIDE])

    def show_results(self, there: bool = True) -> None:
        """Show the results, or else what says how to get some."""
        self._pages.setCurrentIndex(1 if there else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setOrientation(Qt.Orientation.Vertical if self.width() < _NARROW else Qt.Orientation.Horizontal)
