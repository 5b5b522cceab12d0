"""Budgets: the header of the heat map, which states the budget of every column."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QHeaderView, QTableView

from gui import theme
from gui.panels.tables.heat_model import HeatModel
from gui.panels.tables.sheet import MARK, Sheet
from gui.theme import GRID

_LEAST, _MOST = 76, 150
"""Widths of a column in pixels."""


class Budgets(QHeaderView):
    """The header: where the images are made and the data over the columns that share them; below, each attack with its budget."""

    def __init__(self, parent: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self._bold = QFont(self.font())
        self._bold.setBold(True)
        self._small = QFont(self.font())
        self._small.setPointSizeF(max(6.5, 0.9 * self.font().pointSizeF()))

        self._small_metrics, self._bold_metrics = QFontMetrics(self._small), QFontMetrics(self._bold)
        self._spans: tuple[Sheet | None, list[tuple[int, int]]] = (None, [])
        """A sheet, and for each of its columns the first and the last that share its heading."""

    def _span(self, section: int) -> tuple[int, int]:
        sheet = self._sheet
        if sheet is not None and self._spans[0] is not sheet:
            self._spans = sheet, spans(sheet)
        return self._spans[1][section]

    @property
    def _sheet(self) -> Sheet | None:
        model = self.model()
        return model.sheet if isinstance(model, HeatModel) else None

    def wanted(self, section: int) -> int:
        """Return the width that a column's own lines need, with room for a mark that may come."""
        assert self._sheet is not None
        column = self._sheet.columns[section]
        bold, small = self._bold_metrics, self._small_metrics
        lines = [bold.horizontalAdvance(f"{column.title} {MARK}"), *(small.horizontalAdvance(line) for line in column.budget)]
        if self._span(section) == (section, section):
            lines += [small.horizontalAdvance(line) for line in column.group]
        return max(_LEAST, min(_MOST, max(lines) + 2 * GRID))

    def sizeHint(self) -> QSize:
        sheet = self._sheet
        lines = max((len(column.budget) for column in sheet.columns), default=1) if sheet is not None else 1
        spacing = self._bold_metrics.lineSpacing()
        return QSize(super().sizeHint().width(), self._band + spacing + lines * self._small_metrics.lineSpacing() + GRID)

    @property
    def _band(self) -> int:
        return 2 * self._small_metrics.lineSpacing() + 4

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
        for place, line in enumerate((column.heading, *column.budget)):
            font = self._small if place else self._bold
            metrics = self._small_metrics if place else self._bold_metrics
            painter.setFont(font)
            painter.setPen(muted if place else theme.text_colour(palette))
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(rect.left() + 4, top, width, metrics.lineSpacing()), Qt.AlignmentFlag.AlignHCenter, shown)
            top += metrics.lineSpacing()
        painter.restore()

    def _paint_band(self, painter: QPainter, rect: QRect, section: int, sheet: Sheet) -> None:
        """Paint the part of the common heading that is over this column."""
        first, last = self._span(section)
        left = rect.left() - sum(self.sectionSize(place) for place in range(first, section))
        width = sum(self.sectionSize(place) for place in range(first, last + 1))
        band = QRect(left + 2, rect.top() + 1, width - 4, self._band - 3)
        seen = band.intersected(QRect(0, band.top(), self.viewport().width(), band.height()))  # where the heading can be read
        painter.save()
        painter.setClipRect(rect)
        metrics = self._small_metrics
        painter.setFont(self._small)
        painter.setPen(theme.text_colour(self.palette()))
        for place, line in enumerate(sheet.columns[section].group):
            row = QRect(seen.left(), seen.top() + place * metrics.lineSpacing(), seen.width(), metrics.lineSpacing())
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignHCenter, shown)
        painter.setPen(theme.line_colour(self.palette()))
        painter.drawLine(band.left(), band.bottom() + 1, band.right(), band.bottom() + 1)
        painter.restore()


def spans(sheet: Sheet) -> list[tuple[int, int]]:
    """Return for each column the first and the last of those beside each other that share its heading."""
    found: list[tuple[int, int]] = []
    for _, members in itertools.groupby(column.group for column in sheet.columns):
        first, count = len(found), len(list(members))
        found += [(first, first + count - 1)] * count
    return found
