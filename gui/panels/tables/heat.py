"""HeatTable: the heat map of a table. Every column states its budget, and a cell that is chosen opens to its images."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from gui import theme
from gui.panels.tables.sheet import Sheet, SheetCell
from gui.plots.colour_maps import on_viridis
from gui.theme import GRID, number_font

Index = QModelIndex | QPersistentModelIndex
_CELL = Qt.ItemDataRole.UserRole
_LEAST, _MOST = 76, 150
"""Widths of a column in pixels."""
_NAMES = 150
"""Width of the models' names at the most."""


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
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{cell.tip}\nClick: show its images" if cell.cell is not None and not cell.failed else cell.tip
        return cell if role == _CELL else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.sheet is None:
            return None
        if orientation == Qt.Orientation.Vertical:
            name = self.sheet.rows[section]
            return name if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None
        column = self.sheet.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return "\n".join((column.title, *column.budget))
        return column.tip if role == Qt.ItemDataRole.ToolTipRole else None


class _Budgets(QHeaderView):
    """The header: where the images are made and the data over the columns that share them; below, each attack with its budget."""

    def __init__(self, parent: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self._bold = QFont(self.font())
        self._bold.setBold(True)
        self._small = QFont(self.font())
        self._small.setPointSizeF(max(6.5, 0.9 * self.font().pointSizeF()))

    @property
    def _sheet(self) -> Sheet | None:
        model = self.model()
        return model.sheet if isinstance(model, HeatModel) else None

    def wanted(self, section: int) -> int:
        """Return the width that a column's own lines need."""
        assert self._sheet is not None
        column = self._sheet.columns[section]
        bold, small = QFontMetrics(self._bold), QFontMetrics(self._small)
        lines = [bold.horizontalAdvance(column.title), *(small.horizontalAdvance(line) for line in column.budget)]
        if _span(self._sheet, section) == (section, section):
            lines += [small.horizontalAdvance(line) for line in column.group]
        return max(_LEAST, min(_MOST, max(lines) + 2 * GRID))

    def sizeHint(self) -> QSize:
        sheet = self._sheet
        lines = max((len(column.budget) for column in sheet.columns), default=1) if sheet is not None else 1
        spacing = QFontMetrics(self._bold).lineSpacing()
        return QSize(super().sizeHint().width(), self._band + spacing + lines * QFontMetrics(self._small).lineSpacing() + GRID)

    @property
    def _band(self) -> int:
        return 2 * QFontMetrics(self._small).lineSpacing() + 4

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        sheet = self._sheet
        if sheet is None or section >= len(sheet.columns):
            return
        palette, column = self.palette(), sheet.columns[section]
        painter.save()
        painter.fillRect(rect, palette.color(QPalette.ColorRole.Window))
        self._paint_band(painter, rect, section, sheet)
        top, width = rect.top() + self._band, rect.width() - 8
        muted = theme.muted_colour(palette)
        for place, line in enumerate((column.title, *column.budget)):
            font = self._small if place else self._bold
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(muted if place else theme.text_colour(palette))
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(rect.left() + 4, top, width, metrics.lineSpacing()), Qt.AlignmentFlag.AlignHCenter, shown)
            top += metrics.lineSpacing()
        painter.restore()

    def _paint_band(self, painter: QPainter, rect: QRect, section: int, sheet: Sheet) -> None:
        """Paint the part of the common heading that is over this column."""
        first, last = _span(sheet, section)
        left = rect.left() - sum(self.sectionSize(place) for place in range(first, section))
        width = sum(self.sectionSize(place) for place in range(first, last + 1))
        band = QRect(left + 2, rect.top() + 1, width - 4, self._band - 3)
        painter.save()
        painter.setClipRect(rect)
        metrics = QFontMetrics(self._small)
        painter.setFont(self._small)
        painter.setPen(theme.text_colour(self.palette()))
        for place, line in enumerate(sheet.columns[section].group):
            row = QRect(band.left(), band.top() + place * metrics.lineSpacing(), band.width(), metrics.lineSpacing())
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignHCenter, shown)
        painter.setPen(theme.line_colour(self.palette()))
        painter.drawLine(band.left(), band.bottom() + 1, band.right(), band.bottom() + 1)
        painter.restore()


def _span(sheet: Sheet, section: int) -> tuple[int, int]:
    """Return the first and the last column that share the heading of a column."""
    groups = [column.group for column in sheet.columns]
    at = 0
    for _, members in itertools.groupby(groups):
        count = len(list(members))
        if at <= section < at + count:
            return at, at + count - 1
        at += count
    return section, section


class _Heat(QStyledItemDelegate):
    """Paints a share in its colour, with its interval below it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell = index.data(_CELL)
        if not isinstance(cell, SheetCell):
            return
        palette: QPalette = option.palette
        rect = option.rect.adjusted(1, 1, -1, -1)
        painter.save()
        if cell.value is None:
            ground = palette.color(QPalette.ColorRole.AlternateBase)
            ink = theme.readable(theme.MISTAKE, palette) if cell.failed else theme.muted_colour(palette)
        else:
            ground = QColor(*(int(channel) for channel in on_viridis(np.array([cell.value]), 0.0, 1.0)[0]))
            ink = theme.ink_on(ground)
        painter.fillRect(rect, ground)
        self._write(painter, rect, cell, ink, option.font)
        if option.state & QStyle.StateFlag.State_Selected:
            for width, colour in ((4, palette.color(QPalette.ColorRole.Base)), (2, palette.color(QPalette.ColorRole.Text))):
                painter.setPen(theme.pen(colour, width))
                painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def _write(self, painter: QPainter, rect: QRect, cell: SheetCell, ink: QColor, font: QFont) -> None:
        small = QFont(font)
        small.setPointSizeF(max(6.5, 0.85 * font.pointSizeF()))
        big, little = QFontMetrics(font).lineSpacing(), QFontMetrics(small).lineSpacing() if cell.interval else 0
        top = rect.top() + (rect.height() - big - little) // 2
        painter.setPen(ink)
        painter.setFont(font)
        painter.drawText(QRect(rect.left(), top, rect.width(), big), Qt.AlignmentFlag.AlignCenter, cell.text)
        if cell.interval:
            painter.setFont(small)
            painter.drawText(QRect(rect.left(), top + big, rect.width(), little), Qt.AlignmentFlag.AlignCenter, cell.interval)


class HeatTable(QTableView):
    """The heat map. A click, or an arrow key, chooses a cell."""

    chosen = Signal(object)
    """A cell was chosen: its `SheetCell`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = HeatModel(self)
        self._budgets = _Budgets(self)
        self.setHorizontalHeader(self._budgets)
        self.setModel(self._model)
        self.setItemDelegate(_Heat(self))
        self.setFont(number_font(self.font()))
        self.setAccessibleName("Robust accuracy in percent, with 95 % intervals")
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        names = self.verticalHeader()
        names.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        names.setDefaultSectionSize(2 * self.fontMetrics().lineSpacing() + 10)
        names.setMaximumWidth(_NAMES)
        names.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        names.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        names.setHighlightSections(False)
        self.selectionModel().currentChanged.connect(self._on_current)

    @property
    def sheet(self) -> Sheet | None:
        """The sheet that is shown."""
        return self._model.sheet

    def show_sheet(self, sheet: Sheet | None) -> None:
        """Show a sheet; where only its values are new, the chosen cell stays."""
        if self._model.set_sheet(sheet) and sheet is not None:
            for place in range(len(sheet.columns)):
                self.setColumnWidth(place, self._budgets.wanted(place))
            self._budgets.updateGeometry()
            self.updateGeometries()

    @property
    def current(self) -> SheetCell | None:
        """The chosen cell."""
        return self._model.cell(self.currentIndex())

    def index_of(self, row: str, title: str) -> QModelIndex:
        """Return the index of a model's cell under the first column of a title."""
        sheet = self._model.sheet
        assert sheet is not None
        column = next(place for place, each in enumerate(sheet.columns) if each.title == title)
        return self._model.index(sheet.rows.index(row), column)

    @Slot(QModelIndex, QModelIndex)
    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        cell = self._model.cell(index)
        if cell is not None:
            self.chosen.emit(cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current is not None:
            self.chosen.emit(self.current)
        else:
            super().keyPressEvent(event)
