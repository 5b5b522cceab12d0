"""FrameView: a panel that paints the session's frame, and only while it can be seen."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from gui.session.scene import Frame
from gui.session.session import Session


class FrameView(QWidget):
    """Calls `show_frame` with every new frame while visible, and with the newest one when it is shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.painted: Frame | None = None
        """The frame that it shows."""
        for signal in (session.observed, session.imageChanged, session.classifierChanged):
            signal.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Show the session's frame, if anybody can see it."""
        frame = self.session.frame
        on_its_way = frame is None and self.session.clean is not None and self.session.waiting("frame")
        if self.isVisible() and not on_its_way:
            self.painted = frame
            self.show_frame(frame)

    def show_frame(self, frame: Frame | None) -> None:
        """Paint it; None: there is nothing to show."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
