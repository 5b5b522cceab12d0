"""TableDesk: the builder with its foot at the left, the heat map and the images of the chosen cell at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from gui.lanes.progress_text import ShareMeter
from gui.lanes.runner import OperationRunner
from gui.panels.tables import work
from gui.panels.tables.builder import TableBuilder
from gui.panels.tables.files import TableFiles
from gui.panels.tables.heat import HeatTable
from gui.panels.tables.images import CellImages, content_of
from gui.panels.tables.sheet import Sheet, SheetCell, sheet_of
from gui.session.evaluations import table_folder
from gui.session.row_opener import RowOpener
from gui.settings import Settings
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.job_foot import JobFoot
from gui.widgets.setup_and_results import SetupAndResults
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults, ImageRow
    from engine.evaluate.tables import Cell
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.session import Session

_NOTHING = "The table appears here, cell by cell. Choose models, attacks and images, and press “Compute”."
_COUNTED = "This column is counted from the others. Click the cell of an attack to see its images."
_UNFINISHED = "This cell is not finished, so it has no images yet."
_AFRESH = (
    "Compute every cell once more. Otherwise cells that were finished before, for the same models, images and parameters, are used again: "
    "a table that was cancelled goes on where it stopped."
)
_TICK_MS = 150
_LATER_MS = 400
"""Milliseconds after which the dialog of the attacks is made."""


class TableDesk(QWidget):
    """Computes tables in the background lane, so that the image on the canvas stays at hand."""

    def __init__(self, session: Session, parts: work.Parts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._request: work.TableRequest | None = None
        self._failure = ""
        self.runner = OperationRunner(session.background, "table", self, every_ms=_TICK_MS)
        self.opener = RowOpener(session, "tables", self)
        self._meter, self._row_meter = ShareMeter(), ShareMeter()
        session.jobs.watch(self.runner, "tables", lambda: "Table" if self._request is None else f"Table “{self._request.spec.title}”")
        self.builder = TableBuilder(session, parts.shipped, parts.attacks, self)
        self.foot = JobFoot("Compute", "End it now; the finished cells stay, and the next time it goes on from them", self)
        self.afresh = QCheckBox("afresh", self)
        self.summary = Sentence(2, muted=True, snug=True, parent=self)
        self.trust = Sentence(5, snug=True, parent=self)
        self.table = HeatTable(self)
        self.files = TableFiles(session, self.builder, self.table, self.foot.message, self)
        self.images = CellImages(self)
        self._right = QSplitter(Qt.Orientation.Vertical, self)
        self._lay_out()
        self._connect()
        if parts.last is not None:
            self.builder.show_spec(parts.last)
        self._refresh()
        self._on_matrix()
        QTimer.singleShot(_LATER_MS, self, self.builder.attacks.prepare)

    # ------------------------------------------------------------------ building

    def _lay_out(self) -> None:
        self.afresh.setToolTip(_AFRESH)
        self.foot.buttons.insertWidget(1, self.afresh)
        top, upper, result = QHBoxLayout(), QWidget(self), QVBoxLayout()
        upper.setLayout(result)
        result.setContentsMargins(0, 0, 0, 0)
        result.setSpacing(4)
        top.addWidget(self.summary, 1)
        top.addWidget(self.files.button, 0, Qt.AlignmentFlag.AlignTop)
        result.addLayout(top)
        result.addWidget(self.table, 1)
        result.addWidget(self.trust)
        self.trust.hide()
        self._right.addWidget(upper)
        self._right.addWidget(self.images)
        self._right.setChildrenCollapsible(False)
        self._right.setSizes([3, 2])
        self._right.setStretchFactor(0, 3)
        self._right.setStretchFactor(1, 2)
        self._right.setContentsMargins(GRID, 4, GRID, 4)
        nothing = EmptyState(_NOTHING, "mdi6.table-large", self)
        self._parts = SetupAndResults(self.builder, self.foot, nothing, self._right, parent=self)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._parts)

    def _connect(self) -> None:
        self.builder.changed.connect(self._refresh)
        self.builder.opened.connect(self.files.choose_spec)
        self.builder.saved.connect(self.files.choose_spec_file)
        self.foot.started.connect(self.run)
        self.foot.paused.connect(self.runner.pause)
        self.foot.cancelled.connect(self._on_cancel)
        self.opener.changed.connect(self._on_progress)
        self.runner.changed.connect(self._refresh)
        self.runner.progressed.connect(self._on_progress)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)
        self.table.chosen.connect(self._on_chosen)
        self.session.matrix.replaced.connect(self._on_replaced)
        self.session.matrix.changed.connect(self._on_matrix)
        self.images.filtered.connect(self._show_images)
        self.images.picked.connect(self.open_image)

    # ------------------------------------------------------------------ running

    @property
    def sheet(self) -> Sheet | None:
        """The newest table; None before the first."""
        return self.table.sheet

    @property
    def obstacle(self) -> str:
        """The reason why the table cannot be computed now; empty if it can."""
        return "It is under way." if self.runner.running else self.builder.missing

    @Slot()
    def _refresh(self) -> None:
        obstacle = self.obstacle
        self.foot.allow(obstacle, "Attack all of these models in the background; the image on the canvas stays as it is")
        if self.runner.running:
            self.foot.message.say("")
        else:
            self.foot.message.say(obstacle or self._failure, "hint" if obstacle else "error")
        self._on_progress()

    @Slot()
    def run(self) -> None:
        """Compute the table; finished cells of an earlier time are used again."""
        from engine.evaluate.tables import spec_toml

        if self.obstacle:
            return
        spec, models = self.builder.spec(), self.builder.models.models
        classifiers = {model.entry.source: model.classifier for model in models if model.classifier is not None}
        folder = table_folder(spec.title)
        request = work.TableRequest(spec, folder, self.session.data_sources.root, classifiers, self.afresh.isChecked())
        Settings().keep_text(work.LAST, spec_toml(spec))
        self._request, self._failure = request, ""
        self.afresh.setChecked(False)
        self._clear()
        self.session.matrix.show(None)
        self.runner.start(lambda: work.table_run(request), make_preview=work.sheets(), finish=sheet_of, context=request)

    @Slot()
    def _on_progress(self) -> None:
        job, opening = self.runner.job, self.opener.runner.job
        if job is None and opening is not None:
            self.foot.show_job(opening, f"opening {opening.context.row.name} · {self._row_meter.words(opening)}")
        elif job is not None and job.total:
            how_far = self._meter.words(job).removeprefix(f"{job.news} · ")  # first, since the line is short
            self.foot.show_job(job, f"cell {min(job.index + 1, job.total):,} of {job.total:,} · {how_far} · {job.news}")
        else:
            self.foot.show_job(job, "" if job is None else self._meter.words(job))

    @Slot()
    def _on_cancel(self) -> None:
        (self.runner if self.runner.running else self.opener.runner).cancel()

    def _is_ours(self, job: Job | None) -> bool:
        return job is not None and job.context is self._request

    @Slot()
    def _on_preview(self) -> None:
        if self._is_ours(self.runner.job):
            self._show(self.runner.preview)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        if not self._is_ours(outcome.job):
            return
        if outcome.result is not None:
            self._show(outcome.result)
        if outcome.failure is not None:
            self._failure = outcome.failure.sentence
            self.session.log("error", outcome.failure.sentence, outcome.failure.details)
        elif outcome.result is not None:
            sheet: Sheet = outcome.result
            done = " ".join((*sheet.sentences, *sheet.warnings))
            cancelled = " You cancelled it: the finished cells are kept, and the next time it goes on from them."
            self.session.log("info", f"Table “{sheet.results.spec.title}”: {done}{cancelled if outcome.status == 'cancelled' else ''}")

    def _clear(self) -> None:
        self.images.clear()
        self.table.show_sheet(None)

    @Slot()
    def _on_replaced(self) -> None:
        """End a table that belongs to the study before, which has its cells so far."""
        self._request, self._failure = None, ""
        self.opener.stop()
        self.runner.cancel()

    @Slot()
    def _on_matrix(self) -> None:
        """Show the table that a study has brought; one that was computed here is shown already."""
        results = self.session.matrix.results
        if results is (None if self.sheet is None else self.sheet.results):
            return
        self._clear()
        if results is None:
            self._parts.show_results(False)
            return

        def then(sheet: Sheet) -> None:
            if sheet.results is self.session.matrix.results:
                self.builder.show_spec(sheet.results.spec)
                self._show(sheet)

        self.session.ask("tables.study", lambda: sheet_of(results), then, what="Showing the table of the study", background=True)

    def _show(self, sheet: Sheet) -> None:
        self.table.show_sheet(sheet)
        if self.session.matrix.results is not sheet.results:
            self.session.matrix.show(sheet.results)
        first, *rest = sheet.sentences
        self.summary.set_text(" ".join((f"{sheet.results.title}: {first}", *rest)))
        self.summary.setToolTip("\n".join((sheet.results.title, *sheet.sentences)))
        self._show_warnings()
        self._parts.show_results()

    def _show_warnings(self) -> None:
        """Show what has to stand beside the chosen number or, where nothing speaks against it, beside the whole table."""
        current, sheet = self.table.current, self.sheet
        brief, whole = ((), ()) if sheet is None else (sheet.brief, sheet.warnings)
        if current is not None and current.warnings:
            brief = whole = current.warnings
        self.trust.setVisible(bool(brief))
        self.trust.set_text(" ".join(brief))
        self.trust.set_tip("\n".join(whole))

    # ------------------------------------------------------------------ the images of a cell

    @Slot(object)
    def _on_chosen(self, chosen: SheetCell) -> None:
        cell = chosen.cell
        self._show_warnings()
        if cell is None or cell.error:
            failed = "" if cell is None else cell.error
            self.images.clear(failed or (_COUNTED if chosen.value is not None else _UNFINISHED))
        elif cell is not self.images.cell:
            self._show_images(cell, "")

    @Slot(object, str)
    def _show_images(self, cell: Cell, only: str) -> None:
        heading = f"“{cell.key.model}” under {cell.key.attack}: {cell.robust.text()} robust, {cell.success.text()} fooled"

        def show(content: object) -> None:
            current = self.table.current
            if current is not None and current.cell is cell:
                self.images.show_content(content, heading, only)  # type: ignore[arg-type]

        self.session.ask("tables.images", lambda: content_of(cell, only), show, what="Showing the images of a cell", background=True)

    @Slot(object, int)
    def open_image(self, cell: Cell, index: int) -> None:
        """Open an image of a cell as a run with its timeline, and show the layout for attacks."""

        def then(found: tuple[ImageResults, ImageRow]) -> None:
            self.opener.open(*found, None)

        what = f"Opening {cell.name(index)}"
        self.session.ask("tables.open", lambda: cell.row(index), then, what=what, failed=self.session.notice.emit, background=True)
