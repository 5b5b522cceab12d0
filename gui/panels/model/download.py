"""Download: the progress of a download with a button to cancel it; hidden while there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.progress_bar import ProgressBar

if TYPE_CHECKING:
    from gui.session.fetch import Fetch

_FINE = 1000


class Download(QWidget):
    """The controls of one download at a time."""

    def __init__(self, fetch: Fetch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fetch = fetch
        self.bar = ProgressBar(self)
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
        fetch.began.connect(self._on_began)
        fetch.progressed.connect(self._on_progress)
        fetch.ended.connect(self.hide)

    @Slot()
    def _on_began(self) -> None:
        self.bar.setRange(0, 0)
        self.progress.setText(f"{self.fetch.name}: connecting…")
        self.show()

    @Slot()
    def _on_progress(self) -> None:
        done, total = self.fetch.received, self.fetch.total
        self.bar.setRange(0, _FINE if total else 0)
        self.bar.setValue(_FINE * done // total if total else 0)
        of = f" of {total / 1e6:.1f}" if total else ""
        self.progress.setText(f"{self.fetch.name}: {done / 1e6:.1f}{of} MB")
