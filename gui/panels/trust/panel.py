"""The Trust dock: the lights of the run on the canvas, each with a sentence and the cure. The costly ones are measured on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QCheckBox, QStackedLayout, QVBoxLayout, QWidget

from gui.lanes.progress_text import ShareMeter
from gui.panels.trust.sentences import LightList
from gui.settings import Settings
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.job_foot import JobFoot
from gui.widgets.lights import words_of
from gui.widgets.scrolling import scrolling
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from gui.session.session import Session

_IDLE_MS = 1500
"""Milliseconds without a change after which the costly lights are measured, where that is wanted."""
_KEY = "trust/idle"
_MEASURE = "Attack the image with FGSM, without a limit, at other eps, with another loss, more steps and Square, in the background"
_BY_ITSELF = "Measure the other lights of each run by itself while this dock is visible, when nothing has changed for a moment"


class TrustPanel(QWidget):
    """Follows the session's lights."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self._trust = session, session.trust
        self._meter = ShareMeter()
        self.heading, self.caveat = Sentence(2, bold=True, snug=True), Sentence(4, snug=True)
        self.list = LightList()
        self.foot = JobFoot("Measure", "End it now; the lights found so far stay", self)
        self.by_itself = QCheckBox("measure when idle", self)
        self._empty = EmptyState("", "mdi6.traffic-light-outline", self)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_IDLE_MS)
        self._idle.timeout.connect(self._on_idle)
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        self.foot.pause.hide()  # it would make the dock wider than its place, and the work is short
        self.by_itself.setToolTip(_BY_ITSELF)
        self.by_itself.setChecked(Settings().text(_KEY) == "yes")
        page, body = QWidget(), QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(4)
        column.addWidget(self.heading)
        column.addWidget(self.caveat)
        column.addWidget(self.list, 1)
        self.caveat.hide()
        area = scrolling(page)
        area.setMinimumWidth(0)
        whole = QVBoxLayout(body)
        whole.setContentsMargins(GRID, 4, GRID, 4)
        whole.setSpacing(4)
        whole.addWidget(area, 1)
        whole.addWidget(self.by_itself, 0, Qt.AlignmentFlag.AlignLeft)
        whole.addWidget(self.foot)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(body)

    def _connect(self) -> None:
        self._trust.changed.connect(self._refresh)
        self._trust.failed.connect(self._on_failed)
        self._trust.runner.progressed.connect(self._on_progress)
        self.foot.started.connect(self._trust.measure)
        self.foot.cancelled.connect(self._trust.runner.cancel)
        self.by_itself.toggled.connect(self._on_by_itself)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Measure what is to be shown, if it is not known: a dock behind another tab is not painted, and costs nothing."""
        super().paintEvent(event)
        if not self._trust.lights and not self._trust.excuse:
            QTimer.singleShot(0, self, self._trust.look)

    @property
    def seen(self) -> bool:
        """Whether the dock is on the screen, and not behind another tab."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    # ------------------------------------------------------------------ to the screen

    @Slot()
    def _refresh(self) -> None:
        self._on_progress()
        trust = self._trust
        self.foot.allow(trust.obstacle, _MEASURE)
        if trust.runner.running:
            self.foot.message.say("")
        lights, excuse = trust.lights, trust.excuse
        self._pages.setCurrentIndex(0 if excuse else 1)
        self._empty.set_text(excuse)
        if excuse:
            return
        self.update()  # `paintEvent` measures what is seen and not known
        subject = trust.subject
        run = None if subject is None else subject.run
        about = "The model at this image" if run is None else run.title
        self.heading.set_text(f"{about}: {words_of(lights)}" if lights else "Looking at the gradient…")
        beside = "" if run is None else trust.caveat(run)
        self.caveat.setVisible(bool(beside))
        self.caveat.set_text(beside)
        self.list.show_lights(lights)
        if self.by_itself.isChecked() and self.seen and not trust.obstacle:
            self._idle.start()

    @Slot()
    def _on_progress(self) -> None:
        job = self._trust.runner.job
        self.foot.show_job(job, "" if job is None else self._meter.words(job))

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        self.foot.message.say(sentence, "error")

    # ------------------------------------------------------------------ from the user

    @Slot(bool)
    def _on_by_itself(self, wanted: bool) -> None:
        Settings().keep_text(_KEY, "yes" if wanted else "")
        self._idle.stop()
        self._refresh()

    @Slot()
    def _on_idle(self) -> None:
        if self.by_itself.isChecked() and self.seen and not self.session.runs.running:
            self._trust.measure()
