"""AnimationDialog: chooses an animation's panels, size and times, shows one frame, and writes the file with its progress."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QImage, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from engine.figures.animation import Progress, Stage, film_of
from engine.text.formatting import counted
from gui import theme
from gui.export.animation_choices import FORMATS, AnimationChoices
from gui.export.animation_source import AnimationSource, write_film
from gui.export.dialog_parts import choices_column, export_button
from gui.export.preview_dialog import PreviewDialog
from gui.widgets import ElidedLabel
from gui.widgets.asked_file import ask_file
from gui.widgets.progress_bar import ProgressBar

if TYPE_CHECKING:
    import numpy as np

    from engine.figures.animation import AnimationPlan
    from gui.session.history import AttackRun
    from gui.session.session import Session
    from gui.settings import Settings

NO_PANEL = "Choose at least one panel."
CANCELLED = "Cancelled. No file was written."
_EXPORT_TIP = "Choose a file and write the animation, with a JSON file beside it that says how to make it again"


class Writing:
    """A file that is being written in the background lane: its progress, which that thread sets, and whether it is to stop."""

    def __init__(self) -> None:
        self.progress = Progress(0, 0, None)
        self._stop = Event()

    def watch(self, progress: Progress) -> bool:
        """Take the progress; False stops the writing. Called in the lane's thread."""
        self.progress = progress
        return not self._stop.is_set()

    def stop(self) -> None:
        """Stop the writing after its present frame."""
        self._stop.set()


class AnimationDialog(PreviewDialog):
    """The dialog with the choices at the left and one frame at the right. It keeps the run that was shown when it opened."""

    def __init__(self, session: Session, settings: Settings, entry: AttackRun, parent: QWidget | None = None) -> None:
        super().__init__(session, settings, "Export animation", parent)
        self.source = AnimationSource(entry, film_of(entry.result, entry.timeline, clean=entry.before.clean), session.view)
        self.writing: Writing | None = None
        self.choices = AnimationChoices(self.source, settings)
        self._timer = QTimer(self)
        self._timer.setInterval(100)
        self._timer.timeout.connect(self._show_progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[2 * theme.GRID] * 4)
        row.setSpacing(2 * theme.GRID)
        row.addLayout(self._left())
        row.addLayout(self._right(), 1)
        self.choices.changed.connect(self._refresh)
        self.place.valueChanged.connect(self._refresh)
        self.resize(1000, 640)

    # ------------------------------------------------------------------ building

    def _left(self) -> QVBoxLayout:
        self.export_button = export_button(_EXPORT_TIP, self._choose_file)
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.reject)
        return choices_column(self.choices, self.close_button, self.export_button)

    def _right(self) -> QVBoxLayout:
        self.picture = QLabel("Composing the frame…")
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName("Preview of a frame")
        self.picture.setWordWrap(True)
        self.area = QScrollArea()
        self.area.setWidget(self.picture)
        self.area.setWidgetResizable(True)
        self.place = QSlider(Qt.Orientation.Horizontal)
        self.place.setAccessibleName("Frame of the preview")
        self.place.setToolTip("Which frame the preview shows")
        self.facts = ElidedLabel("")
        self.bar = ProgressBar()
        self.bar.setAccessibleName("Progress of the animation")
        self.bar.hide()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop writing; no file is left behind")
        self.cancel_button.clicked.connect(self.cancel)
        self.cancel_button.hide()
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        foot = QHBoxLayout()
        foot.addWidget(self.facts, 1)
        foot.addWidget(self.bar, 1)
        foot.addWidget(self.cancel_button)
        column = QVBoxLayout()
        column.addWidget(ElidedLabel(self.source.title))
        column.addWidget(self.area, 1)
        column.addWidget(self.place)
        column.addWidget(self.problem)
        column.addLayout(foot)
        return column

    @property
    def plan(self) -> AnimationPlan:
        """The plan that the controls show."""
        return self.choices.plan

    # ------------------------------------------------------------------ preview

    @Slot()
    def _refresh(self) -> None:
        plan = self.plan
        if not plan.panels:
            self._show_error(NO_PANEL)
        self.export_button.setEnabled(bool(plan.panels) and self.writing is None)
        self.export_button.setToolTip(_EXPORT_TIP if plan.panels else NO_PANEL)
        if not plan.panels:
            return
        count = len(self.source.film.chosen(plan))
        self.place.setRange(0, count - 1)
        source, place = self.source, min(self.place.value(), count - 1)

        def compose() -> tuple[np.ndarray, float]:
            stage = Stage(source.film, plan, source.note(plan))
            return stage.frame(place), sum(stage.durations()) / 1000

        self._session.ask("frame of an animation", compose, self._show, what="Composing the frame", failed=self._show_error, quiet=True)

    def _show(self, made: tuple[np.ndarray, float]) -> None:
        if not shiboken6.isValid(self) or not self.plan.panels:
            return  # the dialog was closed meanwhile, or its last panel was taken off
        frame, seconds = made
        height, width, _ = frame.shape
        image = QImage(frame.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        room = self.area.viewport().size() * self.devicePixelRatioF()
        pixmap = QPixmap.fromImage(image)
        if width > room.width() or height > room.height():
            pixmap = pixmap.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.picture.setPixmap(pixmap)
        frames = counted(len(self.source.film.chosen(self.plan)), "frame")
        self.facts.setText(f"{frames}, {seconds:.1f} s, {width:,} × {height:,} pixels")

    def _show_error(self, sentence: str) -> None:
        if shiboken6.isValid(self):
            self.picture.clear()
            self.picture.setText(sentence)
            self.facts.setText("")

    def _tell(self, sentence: str) -> None:
        """Say how the writing ended; the preview and its slider stay."""
        if shiboken6.isValid(self):
            self.problem.setText(sentence)
            self.problem.setVisible(bool(sentence))

    # ------------------------------------------------------------------ export

    @Slot()
    def _choose_file(self) -> None:
        suffix = self.choices.suffix
        start = self._settings.folder("figures") / f"{'animation' if self.plan.anonymous else self.source.stem}{suffix}"
        path = ask_file(self, "Export animation", start, f"{self.choices.format.currentText()} (*{suffix})", *FORMATS.values())
        if path is not None:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        """Write the animation in the background lane; the messages and the status bar name the file."""
        self._settings.keep_folder("figures", path.parent)
        self.choices.keep()
        session, source, plan = self._session, self.source, self.plan
        writing = self.writing = Writing()

        def then(files: list[Path]) -> None:
            if not files:
                self._end()
                self._tell(CANCELLED)
                return
            session.log("info", f"Exported {', '.join(map(str, files))}")
            session.notice.emit(f"The animation is in {path}")
            self._end()
            if shiboken6.isValid(self):
                self.accept()

        def failed(sentence: str) -> None:
            self._end()
            self._tell(sentence)

        self._begin()
        session.ask(
            "animation",
            lambda: write_film(source, plan, path, writing.watch),
            then,
            what=f"Exporting {path.name}",
            failed=failed,
            keep=True,
            background=True,
        )

    @Slot()
    def cancel(self) -> None:
        """Stop the writing; no file is left behind."""
        if self.writing is not None:
            self.writing.stop()

    def _begin(self) -> None:
        self._tell("")
        self.bar.setRange(0, 0)
        self.bar.setFormat("preparing")
        for widget, seen in ((self.bar, True), (self.cancel_button, True), (self.facts, False)):
            widget.setVisible(seen)
        self.export_button.setEnabled(False)
        self._timer.start()

    def _end(self) -> None:
        self.writing = None
        if not shiboken6.isValid(self):
            return
        self._timer.stop()
        for widget, seen in ((self.bar, False), (self.cancel_button, False), (self.facts, True)):
            widget.setVisible(seen)
        self.export_button.setEnabled(bool(self.plan.panels))

    @Slot()
    def _show_progress(self) -> None:
        if self.writing is None or not self.writing.progress.total:
            return
        now = self.writing.progress
        self.bar.setRange(0, now.total)
        self.bar.setValue(now.done)
        left = "" if now.seconds_left is None else f", {now.seconds_left:.0f} s left"
        self.bar.setFormat(f"{now.done:,} of {counted(now.total, 'frame')}{left}")

    def reject(self) -> None:
        """Close the dialog, and stop what it writes."""
        self.cancel()
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.cancel()
        super().closeEvent(event)
