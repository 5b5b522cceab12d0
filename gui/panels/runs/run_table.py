"""RunTable: one row per finished run, the newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from engine.text.formatting import short
from gui.panels.runs.facts import RunFacts
from gui.theme import number_font

Index = QModelIndex | QPersistentModelIndex
_COLUMNS = (
    ("#", "Number of the run; ● is on the canvas", "● 00"),
    (
        "✓",
        "✓: success. Untargeted: another prediction than the label. Targeted: the target. An experiment: all its checks passed. "
        "(✓): that held already before the attack",
        "(✓)",
    ),
    ("Attack", "The attack, or what else was run", "Carlini-W"),
    ("Before → after", "Prediction for the attacked and for the adversarial image; the verdict of any other run", "Stop → Speed limi"),
    ("L2", "Length of the perturbation", "0.000"),
    ("L∞", "Its largest value", "0.0000"),
    ("Budget", "eps and steps, where the attack has them", "0/255 · 000 steps"),
    ("Flip", "The step that first succeeded", "0000"),
    ("Time", "Seconds inside the attack", "00.00 s"),
)
_SUCCESS = {
    True: ("✓", "success", " (success)"),
    "already": ("(✓)", "success, already before the attack", " (success, already before the attack)"),
    False: ("–", "no success", " (no success)"),
    None: ("", "", ""),
}
"""The sign of a run's success, its words, and the words after an outcome; None for a run without success."""
_LEFT = ("Attack", "Before → after", "Budget")
_OUTCOME = 3
_DISPENSABLE = ("Time", "Budget", "Flip", "L∞")
"""Columns that are hidden, in this order, if not all fit. A run's details hold their values, too."""
_PROBABILITY = re.compile(r" (?:[<>] )?[\d.]+ %")


class RunModel(QAbstractTableModel):
    """The table's model, with a row per run."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.runs: tuple[RunFacts, ...] = ()
        self._shown: int | None = None

    def set_runs(self, runs: Sequence[RunFacts], shown: int | None) -> None:
        self.beginResetModel()
        self.runs, self._shown = tuple(runs), shown
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.runs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells(run)[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            left = _COLUMNS[index.column()][0] in _LEFT
            return int((Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 1:
            return _SUCCESS["already" if run.already else run.success][1]
        if role == Qt.ItemDataRole.ToolTipRole:
            head = f"#{run.number} {run.attack}: {run.outcome} {_SUCCESS['already' if run.already else run.success][2]}"
            return "\n".join([head, *(f"{name}: {value}" for name, value in run.parameters.items())])
        return None

    def _cells(self, run: RunFacts) -> tuple[str, ...]:
        return (
            f"● {run.number}" if run.number == self._shown else str(run.number),
            _SUCCESS["already" if run.already else run.success][0],
            run.attack,
            run.outcome,
            "–" if run.l2 is None else short(run.l2),
            "–" if run.linf is None else f"{run.linf:.3g}",
            run.budget,
            "–" if run.flip < 0 else str(run.flip),
            f"{run.seconds:.2f} s",
        )

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _COLUMNS[section][0 if role == Qt.ItemDataRole.DisplayRole else 1]
        return None


class _Outcome(QStyledItemDelegate):
    """Paints an outcome. If it does not fit, probabilities are left out before names; the tool tip holds both."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideRight
        if option.fontMetrics.horizontalAdvance(option.text) > option.rect.width() - 8:
            option.text = _PROBABILITY.sub("", option.text)


class RunTable(QTableView):
    """The table of runs. A double click or Enter shows a run again, Delete removes it; two selected runs are compared."""

    showAsked = Signal()
    removeAsked = Signal()
    picked = Signal()
    """The selection has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs = RunModel(self)
        self.setModel(self.runs)
        self.setFont(number_font(self.font()))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Finished runs, the newest first")
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setMinimumSectionSize(self.fontMetrics().horizontalAdvance("000"))
        metrics = self.fontMetrics()
        least = self.horizontalHeader().minimumSectionSize()
        self._widths = [max(least, *(metrics.horizontalAdvance(text) + 10 for text in (title, widest))) for title, _tip, widest in _COLUMNS]
        self.setItemDelegateForColumn(_OUTCOME, _Outcome(self))
        self.doubleClicked.connect(self.showAsked)
        self.selectionModel().selectionChanged.connect(self.picked)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Show as many whole columns as fit, and give the remaining width to the outcome."""
        titles = [title for title, *_ in _COLUMNS]
        shown, room = dict(zip(titles, self._widths, strict=True)), self.viewport().width()
        for title in _DISPENSABLE:
            if sum(shown.values()) <= room:
                break
            del shown[title]
        for column, title in enumerate(titles):
            spare = max(0, room - sum(shown.values())) if column == _OUTCOME else 0
            self.setColumnHidden(column, title not in shown)
            self.setColumnWidth(column, self._widths[column] + spare)

    @property
    def selected(self) -> list[RunFacts]:
        """Return the selected runs, the older first."""
        rows = sorted((index.row() for index in self.selectionModel().selectedRows()), reverse=True)
        return [self.runs.runs[row] for row in rows]

    def set_runs(self, runs: Sequence[RunFacts], shown: int | None) -> None:
        """Show runs. The selection is kept unless runs have finished since; then the newest of these is selected."""
        known = {run.number for run in self.runs.runs}
        fresh = {run.number for run in runs} - known
        wanted = {max(fresh)} if fresh else {run.number for run in self.selected}
        self.runs.set_runs(runs, shown)
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row, run in enumerate(self.runs.runs):
            if run.number in wanted:
                self.selectionModel().select(self.runs.index(row, 0), flags)
                self.selectionModel().setCurrentIndex(self.runs.index(row, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
        self.picked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.showAsked.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.removeAsked.emit()
        else:
            super().keyPressEvent(event)
