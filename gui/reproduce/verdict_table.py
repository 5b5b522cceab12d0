"""VerdictTable: an experiment's findings, what is asked and the verdict first, as high as its rows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QStyleOptionViewItem, QWidget

from gui import theme
from gui.widgets.value_table import SPACE, Spaced, ValueTable

COLOURS = {"pass": theme.LABEL, "fail": theme.ADVERSARIAL}
"""Of a verdict's text; the others are quiet."""
_VERDICT = 1
_NARROWEST = 136, 72
"""The first column, and any other, is not made narrower than this; then the table scrolls."""


class _Cell(Spaced):
    """Some room above and below its lines."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        inner = QStyleOptionViewItem(option)
        inner.rect.setWidth(option.rect.width() - 2 * SPACE)  # as it is painted, or the last line would not fit
        return super().sizeHint(inner, index) + QSize(2 * SPACE, 6)


class _Verdict(_Cell):
    """Passed, failed, or nothing to say: coloured when it is painted, so that it follows the theme."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        palette = option.palette
        name = COLOURS.get(str(index.data()))
        option.font.setBold(name is not None)
        colour = theme.muted_colour(palette) if name is None else theme.readable(name, palette)
        option.palette.setColor(QPalette.ColorRole.Text, colour)


class VerdictTable(ValueTable):
    """The columns of a finding, its verdict moved to the second place. What is too long for its column goes over several lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_Cell(self))
        self.setItemDelegateForColumn(_VERDICT, _Verdict(self))
        self.setWordWrap(True)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(5 * self.verticalHeader().defaultSectionSize())

    def set_findings(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show them; the last column is the verdict."""
        order = [0, len(columns) - 1, columns.index("ours"), *(i for i in range(1, len(columns) - 1) if columns[i] != "ours")]
        self.set_table([columns[i] for i in order], [[row[i] for i in order] for row in rows])
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Share the width out: the verdict and narrow columns get what they need, the others as much as one another."""
        wanted = {column: self._natural(column) for column in range(self.model().columnCount())}
        left = self.viewport().width()
        for done, (column, width) in enumerate(sorted(wanted.items(), key=lambda item: (item[0] != _VERDICT, item[1]))):
            given = width if column == _VERDICT else max(min(_NARROWEST[column > 0], width), min(width, left // (len(wanted) - done)))
            self.setColumnWidth(column, given)
            left -= given
        self.resizeRowsToContents()
        self.updateGeometry()

    def _natural(self, column: int) -> int:
        texts = [self.table.columns[column], *self.table.cells[column]]
        return max(self.fontMetrics().horizontalAdvance(text) for text in texts) + 28

    def sizeHint(self) -> QSize:
        rows = sum(self.rowHeight(row) for row in range(self.model().rowCount()))
        return QSize(400, self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth() + 1)
