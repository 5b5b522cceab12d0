"""DistortionDesk: the live part, what was measured, and the foot that measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from gui.panels.distortion.live import LiveDistortion
from gui.panels.distortion.measuring import Measuring
from gui.panels.frame_panel import FrameView
from gui.theme import GRID
from gui.widgets import EmptyState, scrolling

if TYPE_CHECKING:
    from engine.evaluate.distortion import Distortion
    from gui.session.scene import Frame
    from gui.session.session import Session

_NO_IMAGE = "The image under blur, noise, compression and more appears here. Load a model and open an image."
_NARROW = 620
"""Width in pixels below which the two parts stand one above the other."""


class DistortionDesk(FrameView):
    """Both parts scroll together; the foot always stays in sight."""

    def __init__(self, session: Session, kinds: Sequence[Distortion], parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.live = LiveDistortion(session, kinds)
        self.measuring = Measuring(session)
        inner, filled = QWidget(), QWidget()
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, inner)
        self._box.setContentsMargins(0, 0, 4, 0)
        self._box.setSpacing(2 * GRID)
        self._box.addWidget(self.live, 1)
        self._box.addWidget(self.measuring, 1)
        column = QVBoxLayout(filled)
        column.setContentsMargins(GRID, 4, GRID, GRID)
        column.setSpacing(4)
        self.area = scrolling(inner)
        column.addWidget(self.area, 1)
        column.addWidget(self.measuring.foot)
        self._pages = QStackedLayout(self.body)
        self._pages.addWidget(EmptyState(_NO_IMAGE, "mdi6.blur", self))
        self._pages.addWidget(filled)
        self._follows = False
        """Whether the numbers of a measurement are kept in sight."""
        self.measuring.foot.started.connect(self._on_started)
        bar = self.area.verticalScrollBar()
        bar.rangeChanged.connect(self._show_numbers)
        bar.actionTriggered.connect(self._let_be)
        session.history.changed.connect(self.refresh)
        session.labelChanged.connect(self.refresh)

    def show_frame(self, frame: Frame | None) -> None:
        self._pages.setCurrentIndex(0 if frame is None else 1)
        if frame is not None:
            self.live.show_frame(frame)

    @Slot()
    def _on_started(self) -> None:
        self._follows = True
        self._show_numbers()

    @Slot()
    def _show_numbers(self) -> None:
        """Scroll to the numbers that were asked for, which stand below the live part where the dock is narrow, and grow as they come."""
        bar = self.area.verticalScrollBar()
        if self._follows:
            bar.setValue(min(self.measuring.pos().y(), bar.maximum()))

    @Slot()
    def _let_be(self) -> None:
        """Leave the place to the hand that scrolls."""
        self._follows = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _NARROW
        self._box.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
