"""HeatModel: a sheet as Qt's table model."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from gui.panels.tables.sheet import Sheet, SheetCell

Index = QModelIndex | QPersistentModelIndex
CELL = Qt.ItemDataRole.UserRole
"""The role of the `SheetCell`."""


class HeatModel(QAbstractTableModel):
    """A sheet as Qt's table model."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.sheet: Sheet | None = None

    def set_sheet(self, sheet: Sheet | None) -> bool:
        """Show a sheet; return whether its rows and columns are others than before."""
        other = sheet is None or self.sheet is None or self._shape(sheet) != self._shape(self.sheet)
        if other:
            self.beginResetModel()
            self.sheet = sheet
            self.endResetModel()
        else:
            self.sheet = sheet
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.columnCount() - 1)  # a mark may have come or gone
        return other

    @staticmethod
    def _shape(sheet: Sheet) -> tuple[Any, ...]:
        return sheet.rows, tuple((column.title, column.budget, column.group) for column in sheet.columns)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() or self.sheet is None else len(self.sheet.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.sheet is None else len(self.sheet.columns)

    def cell(self, index: Index) -> SheetCell | None:
        """Return the cell at an index."""
        return None if self.sheet is None or not index.isValid() else self.sheet.cells[index.row()][index.column()]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.cell(index)
        if cell is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return " ".join((cell.text, *cell.warnings))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{cell.tip}\nClick: show its images" if cell.cell is not None and not cell.failed else cell.tip
        return cell if role == CELL else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.sheet is None:
            return None
        if orientation == Qt.Orientation.Vertical:
            name = self.sheet.rows[section]
            return name if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None
        column = self.sheet.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return "\n".join((column.heading, *column.budget))
        return column.tip if role == Qt.ItemDataRole.ToolTipRole else None
