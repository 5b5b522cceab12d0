"""MessagesPanel: the messages with a filter by kind, by words and by what is open, and their copy."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QMenu, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from gui.panels.messages.lines import MessageLines
from gui.session.log_entry import LogEntry, LogKind
from gui.session.session import Session
from gui.theme import GRID, icon
from gui.widgets import EmptyState

_KINDS: tuple[tuple[str, tuple[LogKind, ...]], ...] = (
    ("Everything", ("run", "info", "warning", "error")),
    ("Problems", ("warning", "error")),
    ("Runs", ("run",)),
    ("Notes", ("info",)),
)


class MessagesPanel(QWidget):
    """The Messages dock."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.tree, self.button = MessageLines(), QToolButton()
        self.kind, self.search, self.here = QComboBox(), QLineEdit(), QCheckBox("this image")
        self._build()
        session.logged.connect(self.add)
        for signal in (session.imageChanged, session.classifierChanged):
            signal.connect(self._on_subject)

    @property
    def entries(self) -> list[LogEntry]:
        """The messages that are kept, the oldest first."""
        return self.tree.entries

    def _build(self) -> None:
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._on_menu)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.copy)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._tools())
        layout.addWidget(self.tree, 1)
        self._pages = QStackedLayout(self)
        nothing = "Nothing has happened yet. Runs, how they ended, and errors are listed here."
        self._pages.addWidget(EmptyState(nothing, "mdi6.text-box-outline"))
        self._pages.addWidget(body)

    def _tools(self) -> QHBoxLayout:
        self.kind.addItems([title for title, _ in _KINDS])
        self.kind.setAccessibleName("Kind of messages")
        self.kind.setToolTip("Show all messages, or those of one kind.")
        self.kind.currentIndexChanged.connect(self._on_filter)
        self.search.setPlaceholderText("Search messages")
        self.search.setAccessibleName("Search messages")
        self.search.setToolTip("Show the messages with these words, in their details too.")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(9 * GRID)
        self.search.textChanged.connect(self._on_filter)
        self.here.setToolTip("Show only what was said of the image and the model that are open.")
        self.here.toggled.connect(self._on_filter)
        self.button.setIcon(icon("mdi6.content-copy"))
        self.button.setAutoRaise(True)
        self.button.setText("Copy")
        self.button.setAccessibleName("Copy messages")
        self.button.setToolTip("Copy the selected lines with their details; all that are shown if none is selected.")
        self.button.clicked.connect(self.copy)
        row = QHBoxLayout()
        row.setContentsMargins(GRID, 4, GRID, 4)
        row.setSpacing(GRID)
        row.addWidget(self.kind)
        row.addWidget(self.search, 1)
        row.addWidget(self.here)
        row.addWidget(self.button)
        return row

    # ------------------------------------------------------------------ contents

    @Slot(object)
    def add(self, entry: LogEntry) -> None:
        """Append a message."""
        self.tree.add(entry)
        self._pages.setCurrentIndex(1)

    @Slot()
    def _on_subject(self) -> None:
        self.tree.set_subject(self._session.state.subject)
        if self.here.isChecked():
            self._on_filter()

    @Slot()
    def _on_filter(self) -> None:
        self.tree.show_only(self._is_wanted)

    def _is_wanted(self, entry: LogEntry) -> bool:
        words = self.search.text().casefold().split()
        text = f"{entry.text} {entry.details} {entry.about}".casefold()
        here = not self.here.isChecked() or entry.about == self._session.state.subject
        return here and entry.kind in _KINDS[self.kind.currentIndex()][1] and all(word in text for word in words)

    # ------------------------------------------------------------------ from the user

    @Slot()
    def copy(self) -> None:
        """Copy the selected messages, or all that are shown, to the clipboard."""
        QGuiApplication.clipboard().setText(self.tree.text())

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self.tree)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("mdi6.content-copy"), "Copy", self.copy)
        menu.addAction("Show all details", self.tree.expandAll)
        menu.addAction("Hide all details", self.tree.collapseAll)
        menu.popup(self.tree.viewport().mapToGlobal(at))
