"""HeatTable: the heat map of a table. Every column states its budget, and a cell that is chosen opens to its images."""

from __future__ import annotations

import functools

import numpy as np
from PySide6.QtCore import QModelIndex, QPointF, QRect, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from gui import theme
from gui.panels.tables.budgets import Budgets
from gui.panels.tables.heat_model import CELL, HeatModel, Index
from gui.panels.tables.sheet import Sheet, SheetCell
from gui.plots.colour_maps import on_viridis
from gui.theme import number_font
from gui.widgets.lights import paint_triangle

_NAMES = 150
"""Width of the models' names at the most."""


class _Heat(QStyledItemDelegate):
    """Paints a share in its colour, with its interval below it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell = index.data(CELL)
        if not isinstance(cell, SheetCell):
            return
        palette: QPalette = option.palette
        rect = option.rect.adjusted(1, 1, -1, -1)
        painter.save()
        if cell.value is None:
            ground = palette.color(QPalette.ColorRole.AlternateBase)
            ink = theme.readable(theme.MISTAKE, palette) if cell.failed else theme.muted_colour(palette)
        else:
            ground, ink = _colours(cell.value)
        painter.fillRect(rect, ground)
        self._write(painter, rect, cell, ink, option)
        if option.state & QStyle.StateFlag.State_Selected:
            for width, colour in ((4, palette.color(QPalette.ColorRole.Base)), (2, palette.color(QPalette.ColorRole.Text))):
                painter.setPen(theme.pen(colour, width))
                painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def _write(self, painter: QPainter, rect: QRect, cell: SheetCell, ink: QColor, option: QStyleOptionViewItem) -> None:
        font: QFont = option.font
        small = QFont(font)
        small.setPointSizeF(max(6.5, 0.85 * font.pointSizeF()))
        big = option.fontMetrics.lineSpacing()
        little, lines = round(0.85 * big), [line for line in (cell.interval, cell.top5) if line]
        top = rect.top() + (rect.height() - big - little * len(lines)) // 2
        painter.setPen(ink)
        painter.setFont(font)
        painter.drawText(QRect(rect.left(), top, rect.width(), big), Qt.AlignmentFlag.AlignCenter, cell.text)
        painter.setFont(small)
        for place, line in enumerate(lines):
            painter.drawText(QRect(rect.left(), top + big + place * little, rect.width(), little), Qt.AlignmentFlag.AlignCenter, line)
        if cell.warnings:
            paint_triangle(painter, QPointF(rect.right() - 9, rect.top() + 9), ink)


@functools.lru_cache(maxsize=1024)
def _colours(value: float) -> tuple[QColor, QColor]:
    """Return the colour of a share, and of the text on it."""
    ground = QColor(*(int(channel) for channel in on_viridis(np.array([value]), 0.0, 1.0)[0]))
    return ground, theme.ink_on(ground)


class HeatTable(QTableView):
    """The heat map. A click, or an arrow key, chooses a cell."""

    chosen = Signal(object)
    """A cell was chosen: its `SheetCell`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = HeatModel(self)
        self._budgets = Budgets(self)
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
        names.setMaximumWidth(_NAMES)
        names.setTextElideMode(Qt.TextElideMode.ElideRight)
        names.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        names.setHighlightSections(False)
        self._fit_rows(False)
        self.horizontalScrollBar().valueChanged.connect(self._budgets.viewport().update)  # the headings stay in sight
        self.selectionModel().currentChanged.connect(self._on_current)

    @property
    def sheet(self) -> Sheet | None:
        """The sheet that is shown."""
        return self._model.sheet

    def show_sheet(self, sheet: Sheet | None) -> None:
        """Show a sheet; where only its values are new, the chosen cell stays."""
        self._fit_rows(sheet is not None and sheet.has_top5)
        if self._model.set_sheet(sheet) and sheet is not None:
            for place in range(len(sheet.columns)):
                self.setColumnWidth(place, self._budgets.wanted(place))
            self._budgets.updateGeometry()
            self.updateGeometries()

    def _fit_rows(self, top5: bool) -> None:
        """Give the rows room for their lines: share, interval and, above ten classes, the top-5 share."""
        self.verticalHeader().setDefaultSectionSize((3 if top5 else 2) * self.fontMetrics().lineSpacing() + 10)

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
