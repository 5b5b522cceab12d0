"""The Robustness dock. Its parts need the engine, so they are built when the dock is first seen after the engine was loaded."""

from __future__ import annotations

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from gui.panels.robustness import work
from gui.panels.robustness.desk import CurveDesk
from gui.session.session import Session
from gui.theme import GRID
from gui.widgets import EmptyState

_LOADING = "Accuracy over eps for several models. It can be set up here as soon as the engine is loaded."


class RobustnessPanel(QWidget):
    """An empty state at first, then the `CurveDesk`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(_LOADING, "mdi6.chart-line-variant", self))
        session.engineReady.connect(self._on_ready)

    @property
    def built(self) -> bool:
        """Whether the desk is there."""
        return self._pages.count() > 1

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_ready()

    def minimumSizeHint(self) -> QSize:
        return QSize(34 * GRID, 20 * GRID)

    @Slot()
    def _on_ready(self) -> None:
        if self.session.ready and not self.built and self.isVisible():
            self.session.ask("robustness", work.parts, self._build, what="Listing models and attacks")

    def _build(self, parts: work.Parts) -> None:
        if not self.built:
            self.desk = CurveDesk(self.session, parts, self)
            self._pages.addWidget(self.desk)
            self._pages.setCurrentWidget(self.desk)
