"""StatusBar: the last notice, the attack's progress, the model, and its device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from gui import theme
from gui.lanes.progress_text import RateMeter
from gui.session.log_entry import LogEntry
from gui.session.session import Session
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from gui.lanes.jobs import Job

NOTICE_MS = 12_000


class StatusBar(QStatusBar):
    """Shows a notice at the left, then a run's progress with Cancel, then model and device."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._busy = ""
        self._notice = self._alerting = ""
        self._alert = False
        self._job: Job | None = None
        self._rate_meter = RateMeter()
        self.setSizeGripEnabled(False)
        self._build()
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.setInterval(NOTICE_MS)
        self._notice_timer.timeout.connect(self._clear_notice)
        session.notice.connect(self._on_notice)
        session.withdrawn.connect(self._on_withdrawn)
        session.logged.connect(self._on_logged)
        session.busyChanged.connect(self._on_busy)
        session.runs.changed.connect(self._on_run)
        session.runs.progressed.connect(self._show_progress)
        session.classifierChanged.connect(self._on_classifier)
        session.threadsChanged.connect(self._on_classifier)
        for newer in (session.imageChanging, session.classifierChanged, session.undo_stack.indexChanged):
            newer.connect(self._on_newer)
        self._on_classifier()
        self._on_run()

    def _build(self) -> None:
        self.alert = QLabel(self)
        self.alert.setPixmap(theme.icon("mdi6.alert-circle", theme.ALERT).pixmap(2 * theme.GRID, 2 * theme.GRID))
        self.alert.setAccessibleName("Something went wrong")
        self.alert.hide()
        self.message = ElidedLabel(parent=self)
        self.message.setAccessibleName("Notice")
        self.progress = QProgressBar(self)
        self.progress.setFixedWidth(15 * theme.GRID)
        self.progress.setMaximumHeight(theme.GRID)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the run")
        self.rate = QLabel(self)
        self.rate.setFont(theme.number_font(self.rate.font()))
        self.rate.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.rate.setMinimumWidth(self.fontMetrics().horizontalAdvance("step 00,000 of 00,000 · 0000 /s · 00 min 00 s left"))
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setIcon(theme.icon("mdi6.stop"))
        self.cancel.setToolTip("End the run; its best image so far is kept (Esc)")
        self.cancel.clicked.connect(self._session.runs.cancel)
        self.model = QLabel(self)
        self.device = QLabel(self)
        self.device.setToolTip("Where the model runs, and on how many CPU threads: as many as were fastest when it was loaded")
        self.addWidget(self.alert)
        self.addWidget(self.message, 1)
        for widget in (self.progress, self.rate, self.cancel, self.model, self.device):
            self.addPermanentWidget(widget)
        self.setContentsMargins(theme.GRID, 0, theme.GRID, 0)

    # ------------------------------------------------------------------ notices

    @Slot(str)
    def _on_notice(self, text: str) -> None:
        self._notice, self._alert = text, text == self._alerting
        self._notice_timer.start()
        self._show_notice()

    @Slot(object)
    def _on_logged(self, entry: LogEntry) -> None:
        """Remember the text of a logged error, so that the notice that follows with the same text gets the alert icon."""
        self._alerting = (entry.short or entry.text) if entry.kind in ("error", "warning") else ""

    @Slot(str)
    def _on_withdrawn(self, text: str) -> None:
        if text == self._notice:
            self._clear_notice()

    @Slot()
    def _on_newer(self) -> None:
        """Clear an error's notice after the user's next action; the messages still have it."""
        if self._alert:
            self._clear_notice()

    @Slot()
    def _clear_notice(self) -> None:
        self._notice, self._alert = "", False
        self._show_notice()

    @Slot(str)
    def _on_busy(self, text: str) -> None:
        self._busy = text
        self._show_notice()

    def _show_notice(self) -> None:
        self.message.setText(self._busy or self._notice)
        self.alert.setVisible(self._alert and not self._busy)

    # ------------------------------------------------------------------ progress

    @Slot()
    def _on_run(self) -> None:
        job = self._session.runs.job
        if job is not None and job is not self._job:
            self._clear_notice()  # it concerns an earlier run
        self._job = job
        for widget in (self.progress, self.rate, self.cancel):
            widget.setVisible(job is not None)
        self._show_progress()

    @Slot()
    def _show_progress(self) -> None:
        job = self._job
        if job is None:
            return
        done, total = max(0, job.index), job.total  # step 0 is the start
        self.progress.setRange(0, total or 0)
        self.progress.setValue(done)
        self.rate.setText(self._rate_meter.words(job))

    @Slot()
    def _on_classifier(self) -> None:
        classifier = self._session.classifier
        self.model.setVisible(classifier is not None)
        self.device.setVisible(classifier is not None)
        if classifier is not None:
            self.model.setText(classifier.name)
            self.model.setToolTip(f"The model under study: {classifier.name}, fingerprint {classifier.fingerprint}")
            self.device.setText(device_text(str(classifier.device), self._session.threads))


def device_text(device: str, threads: int) -> str:
    """Return a device in words, such as “CPU, 1 thread” or “GPU:0”."""
    if device != "cpu":
        return device.upper().replace("CUDA", "GPU")
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"
