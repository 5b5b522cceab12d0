"""How far the attack is: a bar, the step, the rate, the time left, and what it reads on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from gui import theme
from gui.pace import Pace
from gui.plots.bars import percent
from gui.plots.text import is_share, short
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from gui.jobs import Job


def readings_in_words(readings: Mapping[str, float]) -> str:
    """``queries 1,200 · held-out fooling rate 61.0 %``: shares by their name as percent."""
    return " · ".join(f"{name} {_number(name, value)}" for name, value in readings.items())


def _number(name: str, value: float) -> str:
    if is_share(name) and 0 <= value <= 1:
        return percent(value)
    return f"{value:,.0f}" if value == round(value) else short(value)


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
        self.readings = ElidedLabel(parent=self)
        self.readings.setFont(self.text.font())
        self.readings.setAccessibleName("Readings of the attack")
        self.readings.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        layout.addWidget(self.readings)
        self._job: Job | None = None
        self._last = (self.text.text(), "")
        self._pace = Pace()
        self.show_job(None)

    def show_job(self, job: Job | None) -> None:
        """The state of a run; None: there is none."""
        if job is None:
            self._rest()
            return
        self._job = job
        self.bar.setRange(0, job.total or 0)
        self.bar.setValue(max(0, job.index))
        self.text.setText(self._pace.words(job))
        self._show_readings(job)

    def _show_readings(self, job: Job) -> None:
        words = readings_in_words(job.readings if job.queries is None else {"queries": job.queries, **job.readings})
        if words != self.readings.text():
            self.readings.setText(words)
            self.readings.setVisible(bool(words))

    def _rest(self) -> None:
        """Nothing runs: say how far the last run went."""
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        ended, self._job = self._job, None
        if ended is not None:
            made = max(0, ended.index)
            self.text.setText(f"last run: {made:,} step{'' if made == 1 else 's'}")
            self._show_readings(ended)
            self._last = (self.text.text(), self.readings.text())

    def show_last(self, belongs: bool) -> None:
        """Nothing runs: what the last run left, unless it was of another attack than the one that is set up."""
        text, words = self._last if belongs else ("", "")
        self.text.setText(text)
        self.readings.setText(words)
        self.readings.setVisible(bool(words))
