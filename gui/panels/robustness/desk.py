"""CurveDesk: the choices with their foot at the left, the curves and the table of smallest perturbations at the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.text.formatting import counted
from gui.lanes.progress_text import ShareMeter
from gui.lanes.runner import OperationRunner
from gui.panels.robustness import work
from gui.panels.robustness.setup import CurveSetup
from gui.plots.bands import BandedCurves, BandedLine
from gui.plots.curves import FURTHER, Axes, Line
from gui.session.written_files import write_files
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.asked_file import ask_file_in
from gui.widgets.export_button import ExportButton
from gui.widgets.job_foot import JobFoot
from gui.widgets.setup_and_results import SetupAndResults
from gui.widgets.text import Sentence
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from gui.lanes.jobs import JobOutcome
    from gui.session.session import Session

_NOTHING = "Accuracy over eps appears here, a curve for each model. Choose models, an attack and images, and press “Compute”."
_NOTE = "◆ mean smallest perturbation of the images that were fooled. Bands: 95 % intervals (Wilson)."
_SO_FAR = "So far: the curves only fall from here. " + _NOTE
_TICK_MS = 250


class CurveDesk(QWidget):
    """Computes robustness curves in the background lane."""

    def __init__(self, session: Session, parts: work.Parts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.outcome: work.Outcome | None = None
        """The newest curves."""
        self._failure = ""
        self.runner = OperationRunner(session.background, "robustness", self, every_ms=_TICK_MS)
        self._meter = ShareMeter()
        session.jobs.watch(self.runner, "robustness", lambda: "Robustness curve")
        self.setup = CurveSetup(session, parts, self)
        self.foot = JobFoot("Compute", "End it now; the curves so far stay, as upper bounds", self)
        self.heading = Sentence(2, muted=True, snug=True, parent=self)
        self.export_button = ExportButton("Write the curves as numbers or as a figure, when they are finished or cancelled", self)
        self.export_button.offer("Numbers and record (CSV, JSON)…", self._choose_numbers)
        self.export_button.offer("Figure (PDF, SVG, PNG)…", self._choose_figure)
        self.plot = BandedCurves(self)
        self.table = ValueTable(self)
        self.trust = Sentence(3, snug=True, parent=self)
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        self.plot.setAccessibleName("Robust accuracy over eps")
        self.table.setAccessibleName("Smallest perturbations")
        self.table.setToolTip("A row for each model. Ctrl+C copies the table as CSV.")
        top, body, rows = QHBoxLayout(), QWidget(self), QVBoxLayout()
        body.setLayout(rows)
        rows.setContentsMargins(GRID, 4, GRID, 4)
        rows.setSpacing(4)
        top.addWidget(self.heading, 1)
        top.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignTop)
        rows.addLayout(top)
        rows.addWidget(self.plot, 1)
        rows.addWidget(self.table)
        rows.addWidget(self.trust)
        self.trust.hide()
        nothing = EmptyState(_NOTHING, "mdi6.chart-line-variant", self)
        self._parts = SetupAndResults(self.setup, self.foot, nothing, body, parent=self)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._parts)

    def _connect(self) -> None:
        self.setup.changed.connect(self._refresh)
        self.foot.started.connect(self.run)
        self.foot.paused.connect(self.runner.pause)
        self.foot.cancelled.connect(self.runner.cancel)
        self.runner.changed.connect(self._refresh)
        self.runner.progressed.connect(self._on_progress)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)

    # ------------------------------------------------------------------ running

    @property
    def obstacle(self) -> str:
        """The reason why no curves can be computed now; empty if they can."""
        return "It is under way." if self.runner.running else self.setup.missing

    @Slot()
    def _refresh(self) -> None:
        obstacle = self.obstacle
        self.foot.allow(obstacle, "Search each image's smallest perturbation in the background")
        if self.runner.running:
            self.foot.message.say("")
        else:
            self.foot.message.say(obstacle or self._failure, "hint" if obstacle else "error")
        self.export_button.setEnabled(self.outcome is not None and self.outcome.result is not None)
        self._on_progress()

    @Slot()
    def run(self) -> None:
        """Compute the curves."""
        from engine.errors import GibbonError

        if self.obstacle:
            return
        try:
            request = self.setup.request()
        except GibbonError as error:
            self.foot.message.say(str(error))
            return
        self._failure, self.outcome = "", None
        self._parts.show_results(False)
        job = work.CurveWork(request, self.session.data_sources)
        self.runner.start(job.make, make_preview=job.preview, finish=job.finish, prepare=job.prepare, context=request)

    @Slot()
    def _on_progress(self) -> None:
        job = self.runner.job
        self.foot.show_job(job, "" if job is None else self._meter.words(job))

    @Slot()
    def _on_preview(self) -> None:
        self._show(self.runner.preview)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.result is not None:
            self._show(outcome.result)
        if outcome.failure is not None:
            self._failure = outcome.failure.sentence
            self.session.log("error", outcome.failure.sentence, outcome.failure.details)
        elif outcome.result is not None:
            cancelled = " You cancelled it: the curves are upper bounds." if outcome.status == "cancelled" else ""
            curves: work.Outcome = outcome.result
            left = "".join(f" {sentence}" for sentence in curves.left_out)
            self.session.log("info", f"Robustness curve: {counted(len(curves.curves), 'model')}.{left}{cancelled}")

    def _show(self, outcome: work.Outcome | None) -> None:
        if outcome is None:
            return
        before, self.outcome = self.outcome, outcome
        lines = [
            BandedLine(Line(each.title, each.accuracy, FURTHER[place % len(FURTHER)]), each.low, each.high, each.mean)
            for place, each in enumerate(outcome.curves)
        ]
        ended = outcome.reason == "finished"
        axes = Axes(x=f"eps ({outcome.norm})", y="robust accuracy", percent=True, counted=False)
        self.plot.set_bands(outcome.eps, lines, axes, _NOTE if ended else _SO_FAR)
        if before is None or before.rows != outcome.rows:
            self._show_table(outcome)
        height = self.table.horizontalHeader().sizeHint().height() + min(5, len(outcome.rows)) * self.table.rowHeight(0)
        self.table.setFixedHeight(height + self.table.horizontalScrollBar().sizeHint().height() + 4)
        request: work.CurveRequest | None = self.runner.job.context if self.runner.job is not None else None
        if request is not None:
            self._describe(request)
        self.trust.setVisible(bool(outcome.warnings))
        self.trust.set_text(" ".join(outcome.warnings))
        self.trust.setToolTip("\n".join(outcome.warnings))
        self._parts.show_results()
        self.export_button.setEnabled(outcome.result is not None)

    def _show_table(self, outcome: work.Outcome) -> None:
        """Show the table without the intervals, which are in the plot, and without remarks where there are none; copying has all."""
        hidden = {"low", "high"} if any(row[-1] for row in outcome.rows) else {"low", "high", outcome.columns[-1]}
        shown = [place for place, name in enumerate(outcome.columns) if name not in hidden]
        columns, rows = [outcome.columns[place] for place in shown], [[row[place] for place in shown] for row in outcome.rows]
        self.table.set_table(columns, rows, outcome.units, csv=(outcome.columns, outcome.rows))

    def _describe(self, request: work.CurveRequest) -> None:
        from engine.evaluate.tables import budget_of

        attack = request.operation.attacking
        self.heading.set_text(f"{attack.title}, at most {budget_of(attack)}, on {request.choice.description}, seed {request.seed}")

    # ------------------------------------------------------------------ files

    @Slot()
    def _choose_numbers(self) -> None:
        self._choose("Save the curves", "curve.csv", "CSV, with a record beside it (*.csv)", self.save_numbers)

    @Slot()
    def _choose_figure(self) -> None:
        self._choose("Save the figure", "curve.pdf", "Figure (*.pdf *.svg *.png)", self.save_figure, ".svg", ".png")

    def save_numbers(self, path: Path) -> None:
        """Write numbers and record."""
        self._write(work.write_numbers, path)

    def save_figure(self, path: Path) -> None:
        """Write the figure."""
        self._write(work.write_figure, path)

    def _choose(self, title: str, name: str, kinds: str, then: Callable[[Path], None], *others: str) -> None:
        path = ask_file_in("tables", self, title, name, kinds, *others)
        if path is not None:
            then(path)

    def _write(self, write: Callable[..., list[Path]], path: Path) -> None:
        result = None if self.outcome is None else self.outcome.result
        if result is not None:
            write_files(self.session, lambda: write(result, path), "Writing the curves", self.foot.message.say)
