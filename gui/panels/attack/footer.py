"""Footer: the Attack dock's message, the progress of its run, and its two buttons. A view without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.panels.attack.progress import AttackProgress
from gui.widgets import Message

if TYPE_CHECKING:
    from engine import Attack
    from gui.lanes.jobs import Job
    from gui.session.attack_start import Ending


class Footer(QWidget):
    """The foot of the Attack dock, always visible below the form."""

    primary = Signal()
    """The button to run, pause or resume was pressed."""
    cancelled = Signal()

    def __init__(self, between: QWidget, parent: QWidget | None = None) -> None:
        """``between`` is a widget between the message and the progress."""
        super().__init__(parent)
        self.message = Message(self)
        self.progress = AttackProgress(self)
        self.run = theme.primary(QPushButton(self), "mdi6.play")
        self.run.setObjectName("attack.run")
        self.run.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.cancel = QPushButton(theme.icon("mdi6.stop"), "Cancel", self)
        self.cancel.setObjectName("attack.cancel")
        self.cancel.setToolTip("End the attack; its best image so far is kept")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.message)
        layout.addWidget(between)
        layout.addWidget(self.progress)
        layout.addLayout(buttons)
        self.run.clicked.connect(self.primary)
        self.cancel.clicked.connect(self.cancelled)

    def show_idle(self, ending: Ending | None, slug: str, obstacle: str) -> None:
        """Show that no attack runs: the ending of the newest run, and the obstacle, if any, to starting the attack of ``slug``."""
        self.progress.show_ending(ending, slug)
        self._show_button("Run", "mdi6.play", obstacle or "Attack the image as set up above")
        self.run.setEnabled(not obstacle)
        self.cancel.setEnabled(False)

    def show_job(self, job: Job, attack: Attack | None, title: str) -> None:
        """Show the progress of a run of ``attack``; ``title`` names it if another attack is chosen."""
        self.message.say("")
        self.progress.show_job(job, attack, title)
        if job.paused:
            self._show_button(f"Resume {title}".strip(), "mdi6.play", f"Let {title or 'the attack'} go on")
        else:
            self._show_button(f"Pause {title}".strip(), "mdi6.pause", f"Hold {title or 'the attack'} between two steps")
        self.run.setEnabled(not job.cancelled)
        self.cancel.setEnabled(not job.cancelled)

    def _show_button(self, text: str, icon: str, tip: str) -> None:
        if self.run.text() != text:
            self.run.setText(text)
            theme.primary(self.run, icon)
        self.run.setToolTip(tip)
