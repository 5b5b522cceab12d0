"""DifferencesTable: the facts in which runs differ, with a column for each run. Long values are written on several lines, never cut."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QKeyEvent, QKeySequence, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from gui import theme
from gui.session.run_differences import Row
from gui.theme import number_font
from gui.widgets.elided import wrapped

_NAMES = 0.3
"""The share of the width that the names have at the most."""
_LEAST = 88
"""The width of a run's column at the least: of more runs one scrolls to the last."""
_PAD = 8
"""Pixels at the left and right of a name."""
_LINES = 3
"""The lines of a name at the most."""
_BESIDE = 30
"""Pixels of a head that its colour and its margins take."""


class DifferencesTable(QTableWidget):
    """The rows of a comparison under the letters of its runs. Ctrl+C copies them, with tabs between the columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(number_font(self.font()))
        self.setWordWrap(True)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIconSize(QSize(12, 12))
        self.setAccessibleName("Differences between the compared runs")
        names, heads = self.verticalHeader(), self.horizontalHeader()
        names.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        names.setStyleSheet("QHeaderView::section { border: 0; background: transparent; padding: 0 4px; }")
        names.setTextElideMode(Qt.TextElideMode.ElideNone)  # their lines are broken and shortened here
        heads.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        heads.setTextElideMode(Qt.TextElideMode.ElideRight)
        for header in (names, heads):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setHighlightSections(False)
        self._heads: tuple[tuple[str, str], ...] = ()
        self._rows: tuple[Row, ...] = ()

    def show_rows(self, heads: Sequence[tuple[str, str]], rows: Sequence[Row]) -> None:
        """Show rows under the heads of the runs, each a letter and the run's title. The names stay where they are when one scrolls."""
        self._heads = ()  # while the cells are made, a change of the size must not look for them
        self.clear()
        self.setColumnCount(len(heads))
        self.setRowCount(len(rows))
        for place, (letter, title) in enumerate(heads):
            swatch = QPixmap(12, 12)
            swatch.fill(theme.compared_colour(place))
            head = QTableWidgetItem(QIcon(swatch), letter)
            head.setToolTip(f"{letter}: {title}")
            self.setHorizontalHeaderItem(place, head)
        for line, row in enumerate(rows):
            self.setVerticalHeaderItem(line, _cell(row.name))
            for place, value in enumerate(row.values):
                self.setItem(line, place, _cell(value))
        self._heads, self._rows = tuple(heads), tuple(rows)
        self._fit()

    def _fit(self) -> None:
        """Give the names the width that they need, up to a share, and the runs even parts of the rest; then the rows their heights."""
        if not self._heads:
            return
        whole = self.width() - self.verticalScrollBar().sizeHint().width() - 2 * self.frameWidth()
        names = self.verticalHeader()
        font = names.fontMetrics()
        longest = max((font.horizontalAdvance(row.name) for row in self._rows), default=0) + 2 * _PAD
        names.setFixedWidth(min(longest, round(_NAMES * whole)))
        for line, row in enumerate(self._rows):
            if item := self.verticalHeaderItem(line):
                item.setText("\n".join(wrapped(row.name, font, names.width() - 2 * _PAD, _LINES)))
        wide = max(_LEAST, (whole - names.width()) // len(self._heads))
        metrics = self.horizontalHeader().fontMetrics()
        for place, (letter, title) in enumerate(self._heads):
            self.setColumnWidth(place, wide)
            forms = (f"{letter}  {title}", f"{letter}  {title.partition(' ')[0]}")
            fits = (form for form in forms if metrics.horizontalAdvance(form) <= wide - _BESIDE)
            if head := self.horizontalHeaderItem(place):
                head.setText(next(fits, letter))
        self.resizeRowsToContents()
        for line in range(len(self._rows)):  # Qt asks for the cells' heights alone
            self.setRowHeight(line, max(self.rowHeight(line), names.sectionSizeHint(line)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @property
    def text(self) -> str:
        """The table with tabs between its columns."""
        lines = [["", *(f"{letter} {title}" for letter, title in self._heads)]]
        lines += [[row.name, *row.values] for row in self._rows]
        return "\n".join("\t".join(line) for line in lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text)
        else:
            super().keyPressEvent(event)


def _cell(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(text)
    item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return item
