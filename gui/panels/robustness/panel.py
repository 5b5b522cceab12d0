"""The Robustness dock. Its parts need the engine, so they are built when the dock is first seen after the engine was loaded."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gui.panels.robustness import work
from gui.panels.robustness.desk import CurveDesk
from gui.session.session import Session
from gui.widgets.late_panel import LatePanel

_LOADING = "Accuracy over eps for several models. It can be set up here as soon as the engine is loaded."


class RobustnessPanel(LatePanel):
    """An empty state at first, then the `CurveDesk`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _LOADING, "mdi6.chart-line-variant", parent)

    def request(self) -> None:
        """Ask for the models and the attacks."""
        self.session.ask("robustness", work.parts, self._build, what="Listing models and attacks")

    def _build(self, parts: work.Parts) -> None:
        if not self.built:
            self.desk = CurveDesk(self.session, parts, self)
            self.fill(self.desk)
