"""TrainingTable: the trainings of the session, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelection, QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView, QWidget

from engine.text.formatting import duration
from gui.widgets.value_table import ValueTable

if TYPE_CHECKING:
    from gui.session.trainer import TrainingRun

_COLUMNS = ("network", "trained on", "epochs", "accuracy", "time", "file")


class TrainingTable(ValueTable):
    """The rows of trainings that have ended; one of them is chosen."""

    chosen = Signal(object)
    """The user has chosen a training: its `TrainingRun`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[TrainingRun, ...] = ()
        self.setAccessibleName("Trainings")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.horizontalHeader().setStretchLastSection(True)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.setMaximumHeight(5 * self.verticalHeader().defaultSectionSize())
        self.setMinimumHeight(3 * self.verticalHeader().defaultSectionSize())

    def show_runs(self, runs: Sequence[TrainingRun], chosen: TrainingRun | None) -> None:
        """Show trainings, the newest first, and select one; None selects none."""
        self._runs = tuple(reversed(runs))
        with QSignalBlocker(self.selectionModel()):
            self.set_table(_COLUMNS, [_row(run) for run in self._runs], {"accuracy": "share"})
            if chosen in self._runs:
                self.selectRow(self._runs.index(chosen))
            else:
                self.clearSelection()
        self.viewport().update()

    @Slot(QItemSelection, QItemSelection)
    def _on_selection(self, selected: QItemSelection, _deselected: QItemSelection) -> None:
        rows = selected.indexes()
        if rows:
            self.chosen.emit(self._runs[rows[0].row()])


def _row(run: TrainingRun) -> tuple[object, ...]:
    wanted = run.recipe.operation.epochs
    epochs = f"{run.epochs} of {wanted}" if run.epochs < wanted else f"{wanted}"
    return run.recipe.name, run.recipe.data_title, epochs, run.accuracy, duration(run.seconds), "" if run.path is None else run.path.name
