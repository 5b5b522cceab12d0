"""VerdictTable: an experiment's findings with their verdicts, as high as its rows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QStyleOptionViewItem, QWidget

from gui import theme
from gui.widgets.value_table import SPACE, Spaced, ValueTable

COLOURS = {"pass": theme.LABEL, "fail": theme.ADVERSARIAL}
"""The colour of each verdict; all others are muted."""
_VERDICT = 1
_NARROWEST = 120, 64
"""The minimum width of the first column, and of every other; below these the table scrolls."""


class _Cell(Spaced):
    """A cell with a margin above and below its text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        inner = QStyleOptionViewItem(option)
        inner.rect.setWidth(option.rect.width() - 2 * SPACE)  # the width in which it is painted, so that the last line fits
        return super().sizeHint(inner, index) + QSize(2 * SPACE, 6)


class _Verdict(_Cell):
    """A cell with a verdict. Its colour is chosen when it is painted, so that it follows the theme."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        palette = option.palette
        name = COLOURS.get(str(index.data()))
        option.font.setBold(name is not None)
        colour = theme.muted_colour(palette) if name is None else theme.readable(name, palette)
        option.palette.setColor(QPalette.ColorRole.Text, colour)


class VerdictTable(ValueTable):
    """A table of findings with the verdict as the second column. Long texts are wrapped."""

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
        """Show the findings; the last of ``columns`` is the verdict."""
        order = [0, len(columns) - 1, columns.index("ours"), *(i for i in range(1, len(columns) - 1) if columns[i] != "ours")]
        self.set_table([columns[i] for i in order], [[row[i] for i in order] for row in rows])
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Distribute the width: the verdict and narrow columns get what they need, the others equal parts of the rest."""
        wanted = {column: self._natural(column) for column in range(self.model().columnCount())}
        left = self.viewport().width()
        for done, (column, width) in enumerate(sorted(wanted.items(), key=lambda item: (item[0] != _VERDICT, item[1]))):
            granted = width if column == _VERDICT else max(min(_NARROWEST[column > 0], width), min(width, left // (len(wanted) - done)))
            self.setColumnWidth(column, granted)
            left -= granted
        self.resizeRowsToContents()
        self.updateGeometry()

    def _natural(self, column: int) -> int:
        texts = [self.table.columns[column], *self.table.cells[column]]
        return max(self.fontMetrics().horizontalAdvance(text) for text in texts) + 28

    def sizeHint(self) -> QSize:
        rows = sum(self.rowHeight(row) for row in range(self.model().rowCount()))
        return QSize(400, self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth() + 1)
