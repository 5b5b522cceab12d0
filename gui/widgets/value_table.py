"""ValueTable: a table whose numbers are aligned by their decimal point, and which can be copied as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from engine.text.formatting import cells_of
from gui.theme import number_font

Index = QModelIndex | QPersistentModelIndex
SPACE = 4
Rows = Sequence[Sequence[Any]]


def unbroken(text: str) -> str:
    """Return a text whose numbers are not broken over lines, such as “> 99.9 %”."""
    return text.replace("> ", ">\u00a0").replace("< ", "<\u00a0").replace(" %", "\u00a0%")


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.columns: tuple[str, ...] = ()
        self.cells: list[list[str]] = []
        self.left: set[int] = set()

    def set_table(self, columns: Sequence[str], rows: Rows, units: Mapping[str, str]) -> None:
        self.beginResetModel()
        self.columns = tuple(columns)
        self.cells = [cells_of([row[i] for row in rows], units.get(name, "")) for i, name in enumerate(columns)]
        self.left = {i for i in range(len(columns)) if any(isinstance(row[i], str) for row in rows)}
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() or not self.cells else len(self.cells[0])

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.cells[index.column()][index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return unbroken(self.cells[index.column()][index.row()])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(index.column())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return self.columns[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return f"\u2002{self.columns[section]}\u2002"
        return self._side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _side(self, column: int) -> int:
        side = Qt.AlignmentFlag.AlignLeft if column in self.left else Qt.AlignmentFlag.AlignRight
        return int(side | Qt.AlignmentFlag.AlignVCenter)


class Spaced(QStyledItemDelegate):
    """A delegate with a margin at both sides of a cell, so that a number does not touch the text of the next column."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        inner = QStyleOptionViewItem(option)
        inner.rect = option.rect.adjusted(SPACE, 0, -SPACE, 0)
        super().paint(painter, inner, index)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        inner = QStyleOptionViewItem(option)
        inner.rect = option.rect.adjusted(SPACE, 0, -SPACE, 0)  # as painted, since wrapped text may need more lines
        return super().sizeHint(inner, index)


class ValueTable(QTableView):
    """A table of values. Ctrl+C copies it as CSV."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._csv: tuple[Sequence[str], Rows] = ((), ())
        self.table = _Model(self)
        self.setModel(self.table)
        self.setItemDelegate(Spaced(self))
        self.setFont(number_font(self.font()))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setHighlightSections(False)

    def set_table(
        self,
        columns: Sequence[str],
        rows: Rows,
        units: Mapping[str, str] = MappingProxyType({}),
        csv: tuple[Sequence[str], Rows] | None = None,
    ) -> None:
        """Show rows under columns.

        ``units`` are the units of columns with shares or counts; ``csv`` are the columns and rows to copy, where they are others than those
        shown.
        """
        self._csv = csv or (columns, rows)
        self.table.set_table(columns, rows, units)
        for column, width in enumerate(self.wanted_widths()):
            self.setColumnWidth(column, width)

    def wanted_widths(self) -> list[int]:
        """Return the width that each column needs for all of its text, up to a limit."""
        metrics, model = self.fontMetrics(), self.table
        columns = ([name, *model.cells[column][:200]] for column, name in enumerate(model.columns))
        return [min(320, max(metrics.horizontalAdvance(text) for text in texts) + 20 + 2 * SPACE) for texts in columns]

    def csv(self) -> str:
        """Return the table as CSV, with all digits."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        columns, rows = self._csv
        writer.writerow(columns)
        writer.writerows(rows)
        return stream.getvalue()

    def copy(self) -> None:
        """Copy the table to the clipboard as CSV."""
        QGuiApplication.clipboard().setText(self.csv())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)
