"""RunDetails: everything about one run, or the differences of several with their pictures beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from engine.text.formatting import counted
from gui.panels.runs.pictures import PictureStrip
from gui.session.run_differences import Row, rows_of
from gui.session.run_facts import RunFacts
from gui.theme import GRID, number_font
from gui.widgets.text import Sentence

_WIDE = 46 * GRID
"""The width from which several runs have columns beside each other."""
_NOTHING = "Select a run to see its parameters, or several to compare them (Ctrl and a click)."


class RunDetails(QWidget):
    """A sentence, the pictures of compared runs, and a table of facts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary, self.remark = Sentence(2, snug=True), Sentence(3, muted=True, snug=True)
        self.pictures, self.table = PictureStrip(), QTreeWidget()
        self.setMinimumWidth(26 * GRID)
        self.table.setUniformRowHeights(True)
        self.table.setFont(number_font(self.table.font()))
        self.table.setIndentation(12)
        self.table.setMinimumHeight(5 * GRID)  # so that the dock fits below the canvas of a small screen
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setAccessibleName("Parameters and outcome")
        self.table.setToolTip("What was run and what came of it")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, 4, GRID, GRID)
        layout.setSpacing(4)
        layout.addWidget(self.summary)
        layout.addWidget(self.remark)
        layout.addWidget(self.pictures)
        layout.addWidget(self.table, 1)
        self.show_runs(())

    @property
    def _narrow(self) -> bool:
        """Whether there is no room for a column for each of several runs: the Differences dock has it."""
        return self.width() < _WIDE

    def show_runs(self, runs: Sequence[RunFacts]) -> None:
        """Show the facts of one run, or the comparison of several."""
        self.table.clear()
        self._runs = tuple(runs)
        self.table.setVisible(len(runs) < 2 or not self._narrow)
        remark = " ".join(filter(None, (runs[0].remark, *runs[0].warnings))) if len(runs) == 1 else ""
        self.remark.set_text(remark)
        self.remark.setVisible(bool(remark))
        self.pictures.set_runs(runs if len(runs) > 1 else ())
        if not runs:
            self._columns("")
            self.summary.set_text(_NOTHING)
        elif len(runs) == 1:
            self._show_one(runs[0])
        else:
            self._show_several(runs)
        self._fit_names()

    def _show_one(self, run: RunFacts) -> None:
        self.summary.set_text(f"{run.title}: {run.outcome.rstrip('.')}.")
        self._columns("", f"#{run.number}")
        for title, values in (("Parameters", run.parameters), ("Outcome", run.figures), ("Provenance", run.provenance)):
            self._group(title, [Row(name, (value,)) for name, value in values.items()], opened=True)

    def _show_several(self, runs: Sequence[RunFacts]) -> None:
        differing, same = rows_of(runs)
        names = ", ".join(f"#{run.number}" for run in runs)
        where = " Compare lists them beside the canvas." if differing and self._narrow else ""
        self.summary.set_text(f"{names}: {counted(len(differing), 'difference') if differing else 'alike in everything'}.{where}")
        self._columns("", *(f"#{run.number}" for run in runs))
        for row in differing:
            self._row(self.table.invisibleRootItem(), row)
        if same:
            self._group(f"The same in all ({len(same)})", same, opened=False)

    def _group(self, title: str, rows: Sequence[Row], *, opened: bool) -> None:
        head = QTreeWidgetItem(self.table, [title])
        font = self.table.font()
        font.setBold(True)
        head.setFont(0, font)
        head.setFirstColumnSpanned(True)
        for row in rows:
            self._row(head, row)
        head.setExpanded(opened)

    def _row(self, parent: QTreeWidgetItem, row: Row) -> None:
        texts = [row.name, *row.values]
        item = QTreeWidgetItem(parent, texts)
        for column, text in enumerate(texts):
            item.setToolTip(column, text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if len(self._runs) > 1 and self.table.isVisibleTo(self) == self._narrow:
            self.show_runs(self._runs)
        self._fit_names()

    def _columns(self, *titles: str) -> None:
        self.table.setColumnCount(len(titles))
        self.table.setHeaderLabels(titles)

    def _fit_names(self) -> None:
        """Give the names at most half of the room, so that a long one does not push the values out of sight; its tool tip is whole."""
        header, columns = self.table.header(), self.table.columnCount()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        room = self.table.viewport().width()
        named = min(self.table.sizeHintForColumn(0) + 8, room // 2)
        header.resizeSection(0, named)
        for column in range(1, columns):
            header.resizeSection(column, (room - named) // (columns - 1))
