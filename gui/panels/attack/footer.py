"""Footer: the Attack dock's message, and what its newest run said while it ran. A view without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.panels.attack.readings import AttackReadings
from gui.widgets import Message

if TYPE_CHECKING:
    from engine import Attack
    from gui.lanes.jobs import Job
    from gui.session.attack_start import Ending


class Footer(QWidget):
    """The foot of the Attack dock, always visible below the form. Run, its progress and Cancel stand in the spine."""

    def __init__(self, between: QWidget, parent: QWidget | None = None) -> None:
        """``between`` is a widget between the message and the readings."""
        super().__init__(parent)
        self.setObjectName("attack.footer")
        self.message = Message(self)
        self.readings = AttackReadings(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.message)
        layout.addWidget(between)
        layout.addWidget(self.readings)

    def show_idle(self, ending: Ending | None, slug: str) -> None:
        """Show that no attack runs: the ending of the newest run, if it was of the attack ``slug``."""
        self.readings.show_ending(ending, slug)

    def show_job(self, job: Job, attack: Attack | None, title: str) -> None:
        """Show the readings of a run of ``attack``; ``title`` names it if another attack is chosen."""
        self.message.say("")
        self.readings.show_job(job, attack, title)
