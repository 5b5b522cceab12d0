"""LatePanel: a dock whose parts need the engine. They are built when it is first seen after the engine was loaded."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from gui.theme import GRID
from gui.widgets.empty import EmptyState

if TYPE_CHECKING:
    from gui.session.session import Session


class LatePanel(QWidget):
    """A sentence at first, then the parts. A subclass asks for them in `request`, and hands them to `fill`."""

    _needed = False

    def __init__(self, session: Session, loading: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(loading, icon, self))
        session.engineReady.connect(self._on_ready)

    @abstractmethod
    def request(self) -> None:
        """Ask the engine for what the parts are built from."""

    @property
    def built(self) -> bool:
        """Whether the parts are there."""
        return self._pages.count() > 1

    def fill(self, parts: QWidget) -> None:
        """Show the parts in place of the sentence."""
        self._pages.addWidget(parts)
        self._pages.setCurrentWidget(parts)

    def need(self) -> None:
        """Build the parts as soon as the engine is loaded, also while the dock is hidden."""
        self._needed = True
        self._on_ready()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_ready()

    def minimumSizeHint(self) -> QSize:
        return QSize(34 * GRID, 20 * GRID)

    @Slot()
    def _on_ready(self) -> None:
        if self.session.ready and not self.built and (self._needed or self.isVisible()):
            self.request()
