"""LogPanel: the tabs of runs and messages."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from gui.panels.log.messages import MessagesView
from gui.panels.log.runs import RunsView
from gui.session.session import Session


class LogPanel(QWidget):
    """The Log dock, with a tab of finished runs and one of messages."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs, self.messages = RunsView(session), MessagesView(session)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.runs, "Runs")
        self.tabs.addTab(self.messages, "Messages")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
