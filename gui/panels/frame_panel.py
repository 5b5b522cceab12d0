"""FrameView: the base class of panels that show the session's frame. They paint only while they are visible."""

from __future__ import annotations

import traceback

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui.session.scene import Frame
from gui.session.session import Session
from gui.theme import GRID
from gui.widgets.compared import ComparedBar


class FrameView(QWidget):
    """Calls `show_frame` with every new frame while the panel is visible, and with the newest one when it becomes visible.

    While runs are compared on the canvas, the panel says above its body which of them it shows: its frame is of one run alone.

    If `show_frame` raises, the panel shows an error in place of its content until a frame is painted again. Other panels continue.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.painted: Frame | None = None
        """The frame that the panel shows."""
        self.compared, self.body = ComparedBar(session.comparison), QWidget()
        """Which of the compared runs the panel shows, and the place of the panel's own layout."""
        self.compared.chosen.connect(session.show_entry)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.compared)
        column.addWidget(self.body, 1)
        self._trouble = _ErrorOverlay(self)
        for signal in (session.observed, session.imageChanged, session.classifierChanged):
            signal.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Show the session's frame, if the panel is visible."""
        frame = self.session.frame
        on_its_way = frame is None and self.session.clean is not None and self.session.waiting("frame")
        if self.isVisible() and not on_its_way:
            self.painted = frame
            try:
                self.show_frame(frame)
            except Exception as error:
                self._fail(error)
            else:
                self._trouble.hide()

    def show_frame(self, frame: Frame | None) -> None:
        """Show a frame; None clears the panel."""
        raise NotImplementedError

    def _fail(self, error: Exception) -> None:
        """Show an error in the panel, and log it once, since frames come many times a second."""
        from engine.errors import in_words

        name = type(self).__name__.removesuffix("Panel")
        sentence = in_words(error, f"Painting the {name} panel", "The other panels do not depend on it.")
        if self._trouble.isHidden() or self._trouble.text() != sentence:
            self._trouble.say(sentence)
            self.session.log("error", sentence, "".join(traceback.format_exception(error)))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._trouble.setGeometry(self.rect())


class _ErrorOverlay(QLabel):
    """Covers a panel that cannot show its frame."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        self.setWordWrap(True)
        self.setAutoFillBackground(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMargin(2 * GRID)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAccessibleName("What is wrong")
        self.hide()

    def say(self, sentence: str) -> None:
        """Show a sentence on top of the panel."""
        self.setText(sentence)
        self.setGeometry(self._panel.rect())
        self.show()
        self.raise_()
