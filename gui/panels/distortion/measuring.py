"""Measuring: every distortion at every strength, for the run on the canvas or the images of a data set, with the destruction rate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from gui.lanes.progress_text import ShareMeter
from gui.lanes.runner import OperationRunner
from gui.panels.distortion import work
from gui.session.stand_in import is_stand_in
from gui.session.swap_model import sample_kind
from gui.session.written_files import write_files
from gui.widgets.asked_file import ask_file_in
from gui.widgets.data_chooser import DataChooser
from gui.widgets.export_button import ExportButton
from gui.widgets.job_foot import JobFoot
from gui.widgets.text import Sentence
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from gui.lanes.jobs import JobOutcome
    from gui.session.session import Session

_NOTHING = "“Measure all” tries every distortion at every strength, and the other loaded models: what survives is counted here."
_TIP = "Every distortion at every strength, in the background"
_TICK_MS = 250
_COUNT = 100


class Measuring(QWidget):
    """The choice of the images, and the numbers. Its ``foot`` stands elsewhere, where it does not scroll away."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.outcome: work.Outcome | None = None
        """The newest numbers."""
        self._failure = ""
        self.runner = OperationRunner(session.background, "distortion", self, every_ms=_TICK_MS)
        self._meter = ShareMeter()
        session.jobs.watch(self.runner, "distortion", lambda: "Real-life distortion")
        self.subject, self.data = QComboBox(self), DataChooser(session.data_sources, self, count=_COUNT, drawn=_COUNT)
        self.heading, self.table = Sentence(5, muted=True, snug=True, parent=self), ValueTable(self)
        self.export_button = ExportButton("Write the contact sheet, the rates or the numbers, when they are finished or cancelled", self)
        self.foot = JobFoot("Measure all", "End it now; the distortions so far stay")
        self._lay_out()
        self._connect()
        if session.classifier is not None:
            self.data.suggest(sample_kind(session.classifier))
        self._on_subject()

    def _lay_out(self) -> None:
        self.subject.addItem("of the run on the canvas")
        self.subject.addItem("of a data set")
        self.subject.setAccessibleName("Which images are measured")
        self.subject.setToolTip("One image says whether it survives; many, attacked first with the attack that is set up, give a rate")
        self.table.setAccessibleName("Destruction rates")
        self.table.setToolTip("A row for each distortion and strength. Ctrl+C copies the table as CSV.")
        self._fill_export()
        top, column = QHBoxLayout(), QVBoxLayout(self)
        top.addWidget(self.subject, 1)
        top.addWidget(self.export_button)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.data)
        column.addWidget(self.heading)
        column.addWidget(self.table, 1)
        column.addStretch(0)
        self.table.setMinimumHeight(160)
        self.table.hide()

    def _fill_export(self) -> None:
        offer = self.export_button.offer
        offer("Contact sheet (PDF, SVG, PNG)…", lambda: self._choose("Save the contact sheet", "contact-sheet.pdf", self.save_sheet))
        self.rates = offer("Rates (PDF, SVG, PNG)…", lambda: self._choose("Save the rates", "distortion.pdf", self.save_rates))
        offer("Numbers and record (CSV, JSON)…", self._choose_numbers)

    def _connect(self) -> None:
        session = self._session
        self.subject.currentIndexChanged.connect(self._on_subject)
        self.data.changed.connect(self._refresh)
        for signal in (session.history.changed, session.planChanged, session.classifierChanged, self.runner.changed):
            signal.connect(self._refresh)
        self.foot.started.connect(self.run)
        self.foot.paused.connect(self.runner.pause)
        self.foot.cancelled.connect(self.runner.cancel)
        self.runner.progressed.connect(self._on_progress)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)

    # ------------------------------------------------------------------ running

    @property
    def of_data(self) -> bool:
        """Whether the images of a data set are measured."""
        return self.subject.currentIndex() == 1

    @property
    def obstacle(self) -> str:
        """The reason why nothing can be measured now; empty if something can."""
        session = self._session
        if self.runner.running:
            return "It is under way."
        if not self.of_data:
            return _of_run(session)
        if session.classifier is None or is_stand_in(session.classifier):
            return "Load a model first."
        attack, refused = session.plan.built
        if attack is None:
            return refused or "Choose an attack in the Attack dock."
        return "" if self.data.choice is not None else "Choose a data set."

    @Slot()
    def _on_subject(self) -> None:
        self.data.setVisible(self.of_data)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        obstacle = self.obstacle
        self.foot.allow(obstacle, _TIP)
        if self.runner.running:
            self.foot.message.say("")
        else:
            self.foot.message.say(obstacle or self._failure, "hint" if obstacle else "error")
        done = self.outcome is not None and self.outcome.result is not None
        self.export_button.setEnabled(done)
        self.rates.setEnabled(done and self.outcome is not None and not self.outcome.single)
        if self.outcome is None:
            self.heading.set_text(_NOTHING)
        self._on_progress()

    def request(self) -> work.Request:
        """Return what is to be measured."""
        session = self._session
        run = session.history.shown
        if self.of_data:
            attack, classifier, run = session.plan.built[0], session.classifier, None
        else:
            assert run is not None
            attack, classifier = run.planned, run.result.classifier
        assert attack is not None
        assert classifier is not None
        others = tuple(model for model in session.loaded.models if model.fingerprint != classifier.fingerprint and not is_stand_in(model))
        return work.Request(attack, classifier, others, session.plan.seed, run, self.data.choice if self.of_data else None)

    @Slot()
    def run(self) -> None:
        """Measure."""
        if self.obstacle:
            return
        self._failure, self.outcome = "", None
        self.table.hide()
        job = work.Measurement(self.request(), self._session.data_sources)
        self.runner.start(job.make, make_preview=job.preview, finish=job.finish, prepare=job.prepare)

    @Slot()
    def _on_progress(self) -> None:
        job = self.runner.job
        self.foot.show_job(job, "" if job is None else self._meter.words(job))

    @Slot()
    def _on_preview(self) -> None:
        self._show(self.runner.preview)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        self._show(outcome.result)
        if outcome.failure is not None:
            self._failure = outcome.failure.sentence
            self._session.log("error", outcome.failure.sentence, outcome.failure.details)
        elif outcome.result is not None:
            cancelled = " You cancelled it: the distortions that were not reached are left out." if outcome.status == "cancelled" else ""
            self._session.log("info", f"Real-life distortion: {len(outcome.result.rows) - 1} looks.{cancelled}")

    def _show(self, outcome: work.Outcome | None) -> None:
        if outcome is None:
            return
        self.outcome = outcome
        self.table.set_table(outcome.columns, outcome.rows, outcome.units)
        self.heading.set_text(" ".join((_whose(outcome.request), *outcome.sentences)))
        self.table.show()

    # ------------------------------------------------------------------ files

    @Slot()
    def _choose_numbers(self) -> None:
        self._choose("Save the numbers", "distortion.csv", self.save_numbers, "CSV, with a record beside it (*.csv)")

    def save_sheet(self, path: Path) -> None:
        """Write the contact sheet."""
        self._write(work.write_sheet, path)

    def save_rates(self, path: Path) -> None:
        """Write the figure of the rates."""
        self._write(work.write_rates, path)

    def save_numbers(self, path: Path) -> None:
        """Write numbers and record."""
        self._write(work.write_numbers, path)

    def _choose(self, title: str, name: str, then: Callable[[Path], None], kinds: str = "Figure (*.pdf *.svg *.png)") -> None:
        path = ask_file_in("tables", self, title, name, kinds, *((".svg", ".png") if name.endswith(".pdf") else ()))
        if path is not None:
            then(path)

    def _write(self, write: Callable[[work.Outcome, Path], list[Path]], path: Path) -> None:
        outcome = self.outcome
        if outcome is not None and outcome.result is not None:
            write_files(self._session, lambda: write(outcome, path), "Writing the distortions", self.foot.message.say)


def _of_run(session: Session) -> str:
    """Return the reason why the run on the canvas cannot be measured; empty if it can."""
    run = session.history.shown
    if run is None:
        return "Run an attack, or show a finished one: its image is what is measured."
    if is_stand_in(run.result.classifier):
        return "The model of this run is not loaded. Load it in the Model dock."
    return "Its image was grown from noise, so there is no clean image beside it." if run.scene.grown else ""


def _whose(request: work.Request) -> str:
    if request.run is not None:
        return f"{request.run.title}."
    return f"{request.attack.title} on {'' if request.choice is None else request.choice.description}."
