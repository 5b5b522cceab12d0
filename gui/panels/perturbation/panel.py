"""PerturbationPanel: the perturbation and the explanation in two tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QStackedLayout, QTabWidget, QWidget

from gui.panels.frame_panel import FrameView
from gui.panels.perturbation.explanation_tab import ExplanationTab
from gui.panels.perturbation.perturbation_tab import PerturbationTab
from gui.widgets import EmptyState

if TYPE_CHECKING:
    from engine.explain import Explanation
    from engine.perturbation_view import PerturbationView
    from gui.session.scene import Frame
    from gui.session.session import Session


class PerturbationPanel(FrameView):
    """Connects two views, which know no session, with the session. Explanations are computed only while their tab is visible."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.perturbation, self.explanation = PerturbationTab(self), ExplanationTab(self)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.perturbation, "Perturbation")
        self.tabs.addTab(self.explanation, "Explanation")
        self.tabs.setDocumentMode(True)
        self._pages = QStackedLayout(self.body)
        empty = "The perturbation appears here after an attack or a sticker. Load a model and open an image."
        self._pages.addWidget(EmptyState(empty, "mdi6.gradient-horizontal", self))
        self._pages.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self.refresh)
        self.perturbation.changed.connect(self.refresh)
        self.perturbation.chosen.connect(self._on_look)
        self.explanation.changed.connect(self.refresh)
        session.viewChanged.connect(self.refresh)
        self.explanation.chosen.connect(self._on_chosen)
        session.explanationsChanged.connect(self._on_explanations)
        session.engineReady.connect(self._on_ready)
        if session.ready:
            self._on_ready()

    # ------------------------------------------------------------------ the chosen explanation

    @Slot()
    def _on_ready(self) -> None:
        """List the explanations, and choose the first."""
        from engine.explain import CATALOGUE

        self.explanation.set_explanations(CATALOGUE)
        if self.session.explanations:
            self._on_explanations()
        else:
            self._on_chosen(next(iter(CATALOGUE.values()))())

    @Slot(object)
    def _on_look(self, look: PerturbationView) -> None:
        self.session.change(view=look)

    @Slot(object)
    def _on_chosen(self, explanation: Explanation) -> None:
        self.session.change(explanations=(explanation,))

    @Slot()
    def _on_explanations(self) -> None:
        self.explanation.show_explanation(self.session.explanations[0])
        self.refresh()

    # ------------------------------------------------------------------ painting

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.session.change(explaining=False)

    @Slot()
    def refresh(self) -> None:
        if self.isVisible():
            self.session.change(explaining=self.tabs.currentWidget() is self.explanation)
        super().refresh()

    def show_frame(self, frame: Frame | None) -> None:
        self._pages.setCurrentIndex(0 if frame is None else 1)
        if self.tabs.currentWidget() is self.explanation:
            self.explanation.show_frame(frame)
        elif frame is not None:
            self.perturbation.show_look(self.session.view)
            self.perturbation.show_frame(frame)
