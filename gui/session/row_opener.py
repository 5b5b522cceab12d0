"""RowOpener: a row of the table as a run with its timeline. The image is attacked again in the interactive lane, with progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session import changes, row_work
from gui.session.attack_runner import TIMELINE_BYTES
from gui.session.run_comparison import plan_of
from gui.session.stand_in import is_stand_in

if TYPE_CHECKING:
    from engine import Classifier
    from engine.evaluate.batch import ImageResults, ImageRow
    from gui.lanes.jobs import JobOutcome
    from gui.session.data_choice import Choice
    from gui.session.history import AttackRun
    from gui.session.session import Session

_OTHER = "The attack gave other bits than the table has, so it does not repeat itself here. The row is shown as it came out now."


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A row that is to be opened, and the batch that it is of."""

    results: ImageResults
    row: ImageRow
    data: Choice | None


class RowOpener(QObject):
    """Opens one row at a time; another row takes its place."""

    changed = Signal()
    """An opening has begun, made progress, or ended."""

    def __init__(self, session: Session, panel: str, parent: QObject) -> None:
        """``panel`` is the name of the dock that shows the table."""
        super().__init__(parent)
        self._session, self._panel = session, panel
        self.runner = OperationRunner(session.lane, f"row of {panel}", self, every_ms=100, previews=lambda: False)
        session.jobs.watch(self.runner, panel, self._title)
        self.runner.ended.connect(self._on_ended)
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self.changed)

    def open(self, results: ImageResults, row: ImageRow, data: Choice | None) -> None:
        """Attack the image of a row again, and put it on the canvas when that is done."""
        session = self._session
        if row.error:
            session.notice.emit(row.error)
            return
        classifier = self._classifier(results.undefended)
        if classifier is None:
            session.log("warning", f"“{row.name}” is not opened: its model “{results.undefended.name}” is not here. Load it first.")
            return
        wanted = _Wanted(results.on(classifier), row, data)
        session.runs.cancel()  # the lane carries out one attack at a time, and this one takes the canvas
        session.notice.emit(f"Opening {row.name}…")
        self.runner.start(lambda: row_work.row_run(wanted.results, row, TIMELINE_BYTES), finish=row_work.completed_row, context=wanted)

    def stop(self) -> None:
        """Give up the row that is being opened, since its table is gone."""
        self.runner.cancel()

    def _title(self) -> str:
        return f"Opening {self.runner.job.context.row.name}" if self.runner.job is not None else ""

    def _classifier(self, recorded: Classifier) -> Classifier | None:
        """Return the classifier of the table or, where that is a stand-in, the loaded model that it stands for."""
        if not is_stand_in(recorded):
            return recorded
        here = (self._session.classifier, *self._session.loaded.models)
        fitting: Callable[[Classifier], bool] = lambda model: (  # noqa: E731
            (model.fingerprint, model.input_shape, model.labels) == (recorded.fingerprint, recorded.input_shape, recorded.labels)
        )
        return next((model for model in here if model is not None and not is_stand_in(model) and fitting(model)), None)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        session, wanted = self._session, outcome.job.context
        name = wanted.row.name
        if outcome.failure is not None:
            session.log("error", f"“{name}” was not opened. {outcome.failure.sentence}", outcome.failure.details)
        elif outcome.status == "cancelled" or outcome.result is None:
            session.notice.emit(f"“{name}” was not opened: you cancelled it. The table stays as it is.")
        else:
            if not outcome.result.same:
                session.log("warning", f"“{name}”: {_OTHER}")
            entry: AttackRun = row_work.run_of(wanted.results, outcome.result, wanted.data)
            self.show(entry, wanted.row)

    def show(self, entry: AttackRun, row: ImageRow) -> None:
        """Put an opened row on the canvas, and show the layout for attacks; the way back leads to the dock."""
        session = self._session
        session.runs.cancel()
        shown = changes.of_run(session.state, entry)
        planned = plan_of(session.state.with_fields(**shown), entry)  # with the row's own seed: the result is not out of date
        session.adopt(entry, f"Open {row.name}", **{**shown, **planned})
        session.notice.emit(f"Opened {row.name}. Alt+Left leads back to the table.")
        session.places.go("attack", back=("test", self._panel))
