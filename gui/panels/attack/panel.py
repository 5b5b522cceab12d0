"""The Attack dock: the parameters and inputs of the planned attack. The spine chooses it, and starts and ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from gui.panels.attack.eps_slider import EpsSlider
from gui.panels.attack.footer import Footer
from gui.panels.attack.forms_stack import FormsStack
from gui.panels.attack.header import Header
from gui.panels.attack.inputs import Inputs
from gui.panels.attack.presenter import AttackPresenter
from gui.panels.attack.start_presenter import StartPresenter
from gui.panels.attack.transformations import PreviewButton
from gui.widgets import EmptyState

if TYPE_CHECKING:
    from gui.session.session import Session


class AttackPanel(QWidget):
    """The dock, which composes the views and their presenters. It is enabled when the engine is loaded."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._slug = ""
        self.header = Header(self)
        self.inputs = Inputs(session.data_sources, self)
        self.stack = FormsStack(self.header, self.inputs, self)
        self.eps = EpsSlider(session, self)
        self.footer = Footer(self.eps, self)
        self.preview = PreviewButton(session, self)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState("The engine is loading. In a moment the attacks are listed here.", "mdi6.timer-sand"))
        self._pages.addWidget(self._page())
        self._presenter = AttackPresenter(session, self.stack, self.inputs, self.footer)
        self._start = StartPresenter(session, self.inputs.start)
        session.planChanged.connect(self._on_plan)
        session.engineReady.connect(self._on_ready)
        if session.ready:
            self._on_ready()

    def _page(self) -> QWidget:
        """Build the parts that need no engine while it is loading, so that the dock is ready soon after."""
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._area = QScrollArea(self)
        self._area.setWidget(self.stack)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout.addWidget(self.header)
        layout.addWidget(self._area, 1)
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 0)
        row.addWidget(self.preview)
        layout.addLayout(row)
        layout.addWidget(self.footer)
        return page

    @Slot()
    def _on_ready(self) -> None:
        self._pages.setCurrentIndex(1)
        self._presenter.fill()
        self.preview.refresh()

    @Slot()
    def _on_plan(self) -> None:
        if self._session.plan.slug != self._slug:
            self._slug = self._session.plan.slug
            self.eps.set_attack(self._slug)
