"""JobFoot: the foot of a panel of long work, with a message, the progress, and the buttons to run, pause and cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.lanes.progress_text import share_of
from gui.widgets.elided import ElidedLabel
from gui.widgets.message import Message
from gui.widgets.progress_bar import ProgressBar

if TYPE_CHECKING:
    from gui.lanes.jobs import Job

_FINE = 1000


class JobFoot(QWidget):
    """Always visible below the panel. While a run is in progress Run is inactive, and Pause and Cancel are active."""

    started = Signal()
    """Run was pressed."""
    paused = Signal(bool)
    """Pause or Resume was pressed: whether to pause."""
    cancelled = Signal()

    def __init__(self, run: str, cancel_tip: str, parent: QWidget | None = None) -> None:
        """``run`` is the text of the button that starts the work."""
        super().__init__(parent)
        self.message = Message(self)
        self.bar = ProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setRange(0, _FINE)
        self.bar.setAccessibleName("Progress")
        self.news = ElidedLabel("", self)
        self.news.setFont(theme.number_font(self.news.font()))
        self.run = theme.primary(QPushButton(run, self), "mdi6.play")
        self.pause = QPushButton(theme.icon("mdi6.pause"), "Pause", self)
        self.cancel = QPushButton(theme.icon("mdi6.stop"), "Cancel", self)
        self.cancel.setToolTip(cancel_tip)
        self.run.setMinimumWidth(self.run.sizeHint().width() + theme.GRID)  # the bold text of the primary button is wider than Qt's hint
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(6)
        self.buttons.addWidget(self.run, 1)
        self.buttons.addWidget(self.pause)
        self.buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        for part in (self.message, self.news, self.bar):
            layout.addWidget(part)
        layout.addLayout(self.buttons)
        self._is_paused = False
        self.run.clicked.connect(self.started)
        self.pause.clicked.connect(self._on_pause)
        self.cancel.clicked.connect(self.cancelled)
        self.show_job(None, "")

    @Slot()
    def _on_pause(self) -> None:
        self.paused.emit(not self._is_paused)

    def show_job(self, job: Job | None, words: str) -> None:
        """Show the progress of a run in words and as a bar; None: no run is in progress."""
        self.news.setText(words)
        self._is_paused = job is not None and job.paused
        self.pause.setText("Resume" if self._is_paused else "Pause")
        self.pause.setIcon(theme.icon("mdi6.play" if self._is_paused else "mdi6.pause"))
        self.pause.setToolTip("Let it go on" if self._is_paused else "Hold it between two steps; the lane is free meanwhile")
        active = job is not None and not job.cancelled
        self.pause.setEnabled(active)
        self.cancel.setEnabled(active)
        share = None if job is None else share_of(job)
        self.bar.setRange(0, 0 if job is not None and share is None and not job.paused else _FINE)
        self.bar.setValue(round(_FINE * (share or 0)))

    def allow(self, obstacle: str, tip: str) -> None:
        """Set whether the work can start: an ``obstacle`` keeps it from it, and its sentence is the button's tool tip."""
        self.run.setEnabled(not obstacle)
        self.run.setToolTip(obstacle or tip)
