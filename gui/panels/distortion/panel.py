"""The Distortion dock. Its parts need the engine, so they are built when the dock is first seen after the engine was loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from gui.panels.distortion import work
from gui.panels.distortion.desk import DistortionDesk
from gui.session.session import Session
from gui.widgets.late_panel import LatePanel

if TYPE_CHECKING:
    from engine.evaluate.distortion import Distortion

_LOADING = "Whether an attack survives light, blur, noise, compression or a camera. It appears here as soon as the engine is loaded."


class DistortionPanel(LatePanel):
    """An empty state at first, then the `DistortionDesk`."""

    desk: DistortionDesk

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _LOADING, "mdi6.blur", parent)

    def request(self) -> None:
        """Ask for the distortions."""
        self.session.ask("distortion.kinds", work.kinds, self._build, what="Listing the distortions")

    def _build(self, kinds: tuple[Distortion, ...]) -> None:
        if not self.built:
            self.desk = DistortionDesk(self.session, kinds, self)
            self.fill(self.desk)
