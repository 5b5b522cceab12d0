"""AttackReadings: what an attack says while it runs, such as its queries, and how the newest run ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.text.formatting import format_reading, with_minus
from gui import theme
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from engine import Attack
    from gui.lanes.jobs import Job
    from gui.session.attack_start import Ending


def readings_in_words(readings: Mapping[str, float], units: Mapping[str, str]) -> str:
    """Return readings as text with shares in percent, such as ``queries 1,200 · held-out fooling rate 61.0 %``."""
    return " · ".join(f"{name} {with_minus(format_reading(value, units.get(name, '')))}" for name, value in readings.items())


def ending_in_words(ending: Ending) -> str:
    """Return the ending of a run in words, such as ``last run: 40 steps``."""
    made = max(0, ending.job.index)
    steps = f"{made:,} step{'' if made == 1 else 's'}"
    if ending.status == "failed":
        return f"last run: failed after {steps}" if made else "last run: failed"
    if ending.status == "cancelled":
        return f"last run: cancelled after {steps}" if ending.job.index >= 0 else "last run: cancelled while loading"
    if ending.status == "budget":
        return f"last run: {steps}, then the budget was spent" if made else "the budget was spent before the first step"
    return f"last run: {steps}"


class AttackReadings(QWidget):
    """The ending of the newest run, and readings of a run. The progress itself stands in the spine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = ElidedLabel("", self)
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
        layout.addWidget(self.text)
        layout.addWidget(self.readings)

    def show_job(self, job: Job, attack: Attack | None, title: str = "") -> None:
        """Show the readings of a run of ``attack``; ``title`` names it if another attack is chosen."""
        self.text.setText(f"{title} is {'paused' if job.paused else 'running'}" if title else "paused" if job.paused else "running")
        self._show_readings(job, attack)

    def show_ending(self, ending: Ending | None, slug: str) -> None:
        """Show the ending of the newest attack of this session if it was of the chosen attack, ``slug``; else nothing.

        The runs of a study that was opened are in the history, and the ending of none of them is known here.
        """
        mine = ending if ending is not None and ending.attack.slug == slug else None
        self.text.setText("" if mine is None else ending_in_words(mine))
        self._show_readings(None if mine is None else mine.job, None if mine is None else mine.attack)

    def _show_readings(self, job: Job | None, attack: Attack | None) -> None:
        asked = {} if job is None or job.queries is None else {"queries": job.queries}
        words = "" if job is None else readings_in_words({**asked, **job.readings}, {} if attack is None else attack.reading_units)
        if words != self.readings.text():
            self.readings.setText(words)
            self.readings.setVisible(bool(words))
