"""How far the attack is: a bar, the step, the rate, the time left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from gui import theme

if TYPE_CHECKING:
    from gui.engine_thread import Job


def duration(seconds: float) -> str:
    """``0.8 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Progress(QWidget):
    """Keeps its room while nothing runs, so that nothing jumps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the attack")
        self.text = QLabel("no attack has run yet", self)
        self.text.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.text.setFont(theme.number_font(self.font()))
        self.text.setAlignment(Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        self._job: Job | None = None
        self._since, self._from = 0.0, 0
        self._paused = False
        self.show_job(None)

    def show_job(self, job: Job | None) -> None:
        """The state of a run; None: there is none."""
        if job is None:
            self._rest()
            return
        index = max(0, job.index)
        if job is not self._job or job.paused != self._paused:  # the rate is that of the present stretch
            self._job, self._paused, self._since, self._from = job, job.paused, time.perf_counter(), index
        self.bar.setRange(0, job.total or 0)
        self.bar.setValue(index)
        self.text.setText(self._words(job, index))

    def _rest(self) -> None:
        """Nothing runs: say how far the last run went."""
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        ended, self._job = self._job, None
        if ended is not None:
            self.text.setText(f"last run: {max(0, ended.index):,} steps")

    def _words(self, job: Job, index: int) -> str:
        step = f"step {index:,} of {job.total:,}" if job.total else f"step {index:,}"
        if job.cancelled:
            return f"{step} · ending"
        if job.paused:
            return f"{step} · paused"
        passed = time.perf_counter() - self._since
        if index <= self._from or passed < 0.2:
            return step
        rate = (index - self._from) / passed
        left = f" · {duration((job.total - index) / rate)} left" if job.total else ""
        return f"{step} · {rate:.3g} /s{left}"
