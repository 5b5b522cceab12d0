"""StatusBar: the last notice, the long work in progress, and the device that the model runs on."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QTimer, Slot
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from gui import theme
from gui.session.log_entry import LogEntry
from gui.session.session import Session
from gui.shell.job_chip import JobChip
from gui.widgets import ElidedLabel

NOTICE_MS = 12_000
"""Milliseconds after which a notice that is no error leaves by itself."""
SAME_ACTION_MS = 700
"""Milliseconds within which a change is taken for a part of the action that a notice came from."""


class StatusBar(QStatusBar):
    """Shows a notice at the left, until the user does something newer; the work in progress and the device at the right."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._busy = ""
        self._notice = self._alerting = ""
        self._alert = False
        self._age = QElapsedTimer()
        self._running = False
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
        session.classifierChanged.connect(self._on_classifier)
        session.threadsChanged.connect(self._on_classifier)
        for newer in (session.imageChanging, session.classifierChanged, session.undo_stack.indexChanged):
            newer.connect(self._on_newer)
        self._on_classifier()

    def _build(self) -> None:
        self.alert = QLabel(self)
        self.alert.setPixmap(theme.glyph("mdi6.alert-circle", theme.ALERT, 2 * theme.GRID))
        self.alert.setAccessibleName("Something went wrong")
        self.alert.hide()
        self.message = ElidedLabel(parent=self)
        self.message.setAccessibleName("Notice")
        self.device = QLabel(self)
        self.device.setToolTip("Where the model runs, and on how many CPU threads: as many as were fastest when it was loaded")
        self.addWidget(self.alert)
        self.addWidget(self.message, 1)
        self.jobs = JobChip(self._session.jobs, self)
        self.addPermanentWidget(self.jobs)
        self.addPermanentWidget(self.device)
        self.setContentsMargins(theme.GRID, 0, theme.GRID, 0)

    # ------------------------------------------------------------------ notices

    @Slot(str)
    def _on_notice(self, text: str) -> None:
        self._notice, self._alert = text, text == self._alerting
        self._age.start()
        if self._alert:
            self._notice_timer.stop()  # an error stays until something newer happens
        else:
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
        """Clear the notice after the user's next action. An action's own change, which may come a little later, does not count."""
        if self._notice and self._age.isValid() and self._age.elapsed() > SAME_ACTION_MS:
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

    @Slot()
    def _on_run(self) -> None:
        running = self._session.runs.running
        if running and not self._running:
            self._clear_notice()  # it concerns an earlier run
        self._running = running

    # ------------------------------------------------------------------ the device

    @Slot()
    def _on_classifier(self) -> None:
        classifier = self._session.classifier
        self.device.setVisible(classifier is not None)
        if classifier is not None:
            self.device.setText(device_text(str(classifier.device), self._session.threads))


def device_text(device: str, threads: int) -> str:
    """Return a device in words, such as “CPU, 1 thread” or “GPU:0”."""
    if device != "cpu":
        return device.upper().replace("CUDA", "GPU")
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"
