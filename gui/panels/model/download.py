"""Download: the progress of a download with a button to cancel it; hidden while there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.panels.model.fetch import Fetch

if TYPE_CHECKING:
    from engine.models.torchvision import Published

_FINE = 1000


class Download(QWidget):
    """The controls of one download at a time."""

    fetched = Signal(str)
    """The weights have arrived: the source that can now be loaded."""
    failed = Signal(str, bool)
    """The download has failed: a sentence, and whether the user cancelled it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = ""
        self.fetch = Fetch(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the download")
        self.stop = QPushButton(theme.icon("mdi6.stop"), "Cancel", self)
        self.stop.setToolTip("End the download; nothing is left behind")
        self.progress = QLabel(self)
        self.progress.setFont(theme.number_font(self.font()))
        line = QHBoxLayout()
        line.addWidget(self.progress, 1)
        line.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.bar)
        column.addLayout(line)
        self.hide()
        self.stop.clicked.connect(self.fetch.cancel)
        self.fetch.progressed.connect(self._on_progress)
        self.fetch.ended.connect(self._on_ended)

    def start(self, about: Published) -> None:
        """Download published weights into torch's own cache."""
        self._name = about.name
        self.bar.setRange(0, 0)
        self.progress.setText(f"{about.name}: connecting…")
        self.show()
        self.fetch.start(about)

    @Slot()
    def _on_progress(self) -> None:
        done, total = self.fetch.received, self.fetch.total
        self.bar.setRange(0, _FINE if total else 0)
        self.bar.setValue(_FINE * done // total if total else 0)
        of = f" of {total / 1e6:.1f}" if total else ""
        self.progress.setText(f"{self._name}: {done / 1e6:.1f}{of} MB")

    @Slot(str)
    def _on_ended(self, error: str) -> None:
        self.hide()
        if error:
            self.failed.emit(error, self.fetch.cancelled)
        else:
            self.fetched.emit(f"torchvision:{self._name}")
