"""PickList: a searchable list in groups, from which a click or Enter picks. The content of the choosers' popups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.widgets.picks import Pick, PickGroup, found_at, split_words

_PICK = Qt.ItemDataRole.UserRole
_LEAST_ROWS = 8
_LAST = 1000
"""The rank of rows that a search does not concern, below all matches."""
_GAP = 4
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class _Row(QTreeWidgetItem):
    """A row or a group's heading, sorted by its match with the search, then by its place in the list."""

    rank: tuple[int, ...] = ()
    place: int = 0
    """The place in the list without a search, counted from the top."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        return self.rank < other.rank if isinstance(other, _Row) else NotImplemented

    @property
    def pick(self) -> Pick | None:
        """The row's pick; None for a heading."""
        made: Pick | None = self.data(0, _PICK)
        return made


class PickList(QWidget):
    """A search field above a list in groups.

    Typing reduces the list to what matches and highlights the best match. Enter picks the highlighted row, and only a row that can be seen.
    """

    picked = Signal(object)
    """A row was picked: its value."""
    highlighted = Signal()
    """Another row, or none, is highlighted: read ``current``."""
    filled = Signal()
    """The rows were replaced, so that another size may suit."""
    searched = Signal(str)
    """The text of the search has changed."""

    def __init__(
        self,
        what: str,
        columns: int = 1,
        parent: QWidget | None = None,
        *,
        one_click: bool = True,
        numbers: Sequence[int] = (),
        tip: str = "",
    ) -> None:
        """``what`` names the rows in the plural; with ``one_click`` a click picks, else a double click does; ``numbers`` are columns."""
        super().__init__(parent)
        self._columns, self._one_click, self._numbers = columns, one_click, tuple(numbers)
        self._groups: tuple[PickGroup, ...] = ()
        self._present: Any = None
        self.read_search: Callable[[str], list[str]] = split_words
        """Turns the search's text into words."""
        self.accepts: Callable[[Any], bool] = lambda _value: True
        """Whether a filter beside the search accepts a value; call `refilter` when that changes."""
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(f"Search {what}")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(f"Search {what}")
        self.search.setToolTip(tip or "Narrow the list. The best match is highlighted; Enter takes it, the arrow keys choose another.")
        self.search.addAction(theme.icon("mdi6.magnify"), QLineEdit.ActionPosition.LeadingPosition)
        self.search.installEventFilter(self)
        self.tree = QTreeWidget(self)
        self.tree.setAccessibleName(what[:1].upper() + what[1:])
        self._style_tree()
        self.nothing = QLabel(f"No {what} match.", self)
        self.nothing.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self.nothing.hide()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(_GAP)
        for widget, stretch in ((self.search, 0), (self.nothing, 0), (self.tree, 1)):
            self.column.addWidget(widget, stretch)
        self.search.textChanged.connect(self._on_text)
        self.search.returnPressed.connect(self._take)
        self.tree.itemClicked.connect(self._on_clicked)
        self.tree.itemDoubleClicked.connect(self._on_double_clicked)
        self.tree.currentItemChanged.connect(self._on_current)

    def _style_tree(self) -> None:
        tree = self.tree
        tree.setColumnCount(self._columns)
        tree.setHeaderHidden(True)
        tree.setIndentation(12)
        tree.setFrameShape(QFrame.Shape.StyledPanel)
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setAllColumnsShowFocus(True)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        tree.installEventFilter(self)

    # ------------------------------------------------------------------ contents

    def set_groups(self, groups: Sequence[PickGroup]) -> None:
        """Replace all rows. What was highlighted stays so if it is still there."""
        before = self.current
        self._groups = tuple(groups)
        self.tree.blockSignals(True)
        self.tree.clear()
        for group in groups:
            if group.picks:
                self._add_group(group)
        for place, row in enumerate(row for heading in self._headings() for row in (heading, *_children(heading))):
            row.place = place
        self.tree.blockSignals(False)
        self._paint_quiet()
        self.tree.setMinimumHeight(min(self._count, _LEAST_ROWS) * self._row_height)
        self.updateGeometry()
        self.refilter()
        if before is not None:
            self._highlight(before)
        self.filled.emit()

    def _add_group(self, group: PickGroup) -> None:
        heading = _Row(self.tree, [group.title])
        heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
        heading.setFirstColumnSpanned(True)
        heading.setExpanded(True)
        heading.setToolTip(0, group.tip)
        heading.setSizeHint(0, QSize(0, self.fontMetrics().height() + 6))
        font = self.font()
        font.setBold(True)
        heading.setFont(0, font)
        for pick in group.picks:
            row = _Row(heading, list(pick.texts))
            row.setSizeHint(0, QSize(0, self._row_height))
            row.setData(0, _PICK, pick)
            if pick.icon is not None:
                row.setIcon(0, pick.icon)
            for column in range(self._columns):
                row.setToolTip(column, pick.tip)
                if column in self._numbers:
                    row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    row.setFont(column, theme.number_font(self.font()))

    def set_icon_size(self, side: int) -> None:
        """Make room for icons of ``side`` pixels."""
        self.tree.setIconSize(QSize(side, side))

    @property
    def shown(self) -> list[Any]:
        """The values of the rows that match, from top to bottom."""
        return [pick.value for row in self._rows() if not row.isHidden() and (pick := row.pick) is not None]

    @property
    def current(self) -> Any:
        """The value of the highlighted row; None if none is highlighted that can be seen."""
        row = self.tree.currentItem()
        if not isinstance(row, _Row) or row.isHidden() or row.pick is None:
            return None
        return row.pick.value

    def highlight(self, value: Any) -> None:
        """Highlight the row of a value, without picking it; it stays highlighted when a search is cleared."""
        self._present = value
        self._highlight(value)

    def _highlight(self, value: Any) -> None:
        row = next((row for row in self._rows() if row.pick is not None and row.pick.value == value and not row.isHidden()), None)
        if row is None:
            self.tree.setCurrentIndex(QModelIndex())
        else:
            self.tree.setCurrentItem(row)
            self.tree.scrollToItem(row)

    def start(self) -> None:
        """Clear the search and give it the keyboard, as when the list opens."""
        self.search.clear()
        self.refilter()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def _headings(self) -> list[_Row]:
        items = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [item for item in items if isinstance(item, _Row)]

    def _rows(self) -> list[_Row]:
        return [row for heading in self._headings() for row in _children(heading)]

    @property
    def _count(self) -> int:
        return sum(1 + len(group.picks) for group in self._groups if group.picks)

    # ------------------------------------------------------------------ the search

    @Slot(str)
    def _on_text(self, text: str) -> None:
        self.searched.emit(text)
        self.refilter()

    @Slot()
    def refilter(self) -> None:
        """Show what the search matches and the filter accepts, the best match first, and highlight that."""
        words = self.read_search(self.search.text())
        for heading in self._headings():
            for row in _children(heading):
                self._rank(row, words)
            shown = [row.rank for row in _children(heading) if not row.isHidden()]
            heading.setHidden(not shown)
            heading.rank = min(shown, default=()) if words else (0, 0, heading.place)
        self.tree.sortItems(0, Qt.SortOrder.AscendingOrder)
        self.nothing.setVisible(not any(True for _ in self._matches()))
        self._highlight(next(self._matches(), None) if words else self._present)
        if self.tree.currentItem() is None:
            self.tree.scrollToTop()

    def _matches(self) -> Iterator[Any]:
        """Yield the values that match, without the rows that are always there."""
        return (row.pick.value for row in self._rows() if row.pick is not None and not row.pick.always and not row.isHidden())

    def _rank(self, row: _Row, words: Sequence[str]) -> None:
        pick = row.pick
        if pick is None or pick.always:
            row.rank = (_LAST, 0, row.place)
            return
        places = [found_at(word, pick.fields) for word in words]
        row.setHidden(-1 in places or not self.accepts(pick.value))
        row.rank = (max(places, default=0), sum(places), row.place) if words else (0, 0, row.place)

    # ------------------------------------------------------------------ picking

    @Slot()
    def _take(self) -> None:
        """Pick the highlighted row, or the only one."""
        shown = self.shown
        value = self.current if self.current is not None else shown[0] if len(shown) == 1 else None
        if value is not None:
            self.picked.emit(value)

    @Slot(QTreeWidgetItem, int)
    def _on_clicked(self, item: QTreeWidgetItem, _column: int) -> None:
        pick = item.data(0, _PICK)
        if pick is not None and (self._one_click or pick.always):
            self.picked.emit(pick.value)

    @Slot(QTreeWidgetItem, int)
    def _on_double_clicked(self, item: QTreeWidgetItem, _column: int) -> None:
        pick = item.data(0, _PICK)
        if pick is not None and not self._one_click and not pick.always:
            self.picked.emit(pick.value)

    @Slot(QTreeWidgetItem, QTreeWidgetItem)
    def _on_current(self, _item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None) -> None:
        self.highlighted.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self.search and event.key() in _MOVES:
                self._move(event.key())
                return True
            if watched is self.tree and event.key() in _ENTER:
                self._take()
                return True
        return super().eventFilter(watched, event)

    def _move(self, key: int) -> None:
        """Highlight the next row above or below that can be seen; it stays in place at either end."""
        rows = [row for row in self._rows() if not row.isHidden()]
        if not rows:
            return
        current = self.tree.currentItem()
        here = next((place for place, row in enumerate(rows) if row is current), -1)
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}[Qt.Key(key)]
        row = rows[min(max(0, here + by), len(rows) - 1)]
        self.tree.setCurrentItem(row)
        self.tree.scrollToItem(row)

    # ------------------------------------------------------------------ looks

    @property
    def _row_height(self) -> int:
        icons = any(pick.icon is not None for group in self._groups for pick in group.picks)
        return max(self.fontMetrics().height() + 6, self.tree.iconSize().height() + 4 if icons else 0)

    def sizeHint(self) -> QSize:
        """Return the size at which no column is cut and all rows are visible, up to a limit."""
        metrics = self.fontMetrics()
        picks = [pick for group in self._groups for pick in group.picks]
        texts = [[pick.texts[column] for pick in picks if column < len(pick.texts)] for column in range(self._columns)]
        icons = self.tree.iconSize().width() + 4 if any(pick.icon is not None for pick in picks) else 0
        columns = sum(max((metrics.horizontalAdvance(text) for text in column), default=0) for column in texts)
        width = columns + icons + (6 + self._columns) * theme.GRID + self.tree.verticalScrollBar().sizeHint().width()
        rows = sum((metrics.height() + 6) + len(group.picks) * self._row_height for group in self._groups if group.picks)
        above = self.column.sizeHint().height() - self.tree.sizeHint().height()
        return QSize(max(32 * theme.GRID, width), above + max(rows, 60) + 2 * self.tree.frameWidth() + 2)

    def _paint_quiet(self) -> None:
        muted = theme.muted_colour(self.palette())
        for heading in self._headings():
            heading.setForeground(0, muted)
            for row in _children(heading):
                for column in range(1, self._columns):
                    row.setForeground(column, muted)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "tree"):
            self._paint_quiet()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        item = self.tree.currentItem()
        if item is not None:
            self.tree.scrollToItem(item)


def _children(heading: QTreeWidgetItem) -> list[_Row]:
    rows = (heading.child(i) for i in range(heading.childCount()))
    return [row for row in rows if isinstance(row, _Row)]
