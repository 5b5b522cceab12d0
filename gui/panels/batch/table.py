"""RowTable: the rows of a batch, each with its picture, sortable by every column, with numbers aligned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, QSize, QSortFilterProxyModel, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QImage, QKeyEvent, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from engine.text.formatting import format_linf, format_norm, format_probability
from gui import theme
from gui.theme import number_font
from gui.widgets.value_table import SPACE, Spaced

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageRow

Index = QModelIndex | QPersistentModelIndex
_SIDE = 32
"""Largest side of a picture in pixels."""
_NAME = 96
"""Least width in pixels of a column of class names, which a tool tip completes."""
_LEAST_TELLING = ("p before", "before", "s", "L0", "p after", "L2", "label")
"""Columns in the order in which they hide where the table is too narrow for all."""
_VERDICTS = {"fooled": theme.ADVERSARIAL, "resisted": theme.LABEL, "error": theme.MISTAKE}


@dataclass(frozen=True)
class _Column:
    """One column: its title, the value by which it is sorted, and its text."""

    title: str
    value: Callable[[ImageRow], Any]
    text: Callable[[ImageRow], str]
    tip: str = ""
    numeric: bool = True
    of_unaware: bool = False
    """Whether it is about the row of the attacker who does not know the defense; it is hidden where there is none."""


def _norm(name: str, title: str, tip: str) -> _Column:
    return _Column(title, lambda row: row.norms.get(name), lambda row: _size(name, row.norms[name]) if name in row.norms else "", tip)


def _size(name: str, value: float) -> str:
    return format_linf(value) if name == "linf" else _three_digits(value)


def _three_digits(value: float) -> str:
    """Return a norm with three significant digits, zeros included, so that a column of them is aligned."""
    return f"{value:#.3g}".rstrip(".") if 0.001 <= value < 1000 else format_norm(value)


def _prediction(title: str, number: str, probability: str, tip: str) -> tuple[_Column, _Column]:
    def text(row: ImageRow) -> str:
        return row.name_of(getattr(row, number)) or ""

    def share(row: ImageRow) -> str:
        value = getattr(row, probability)
        return "" if value is None else format_probability(value)

    return (
        _Column(title, text, text, tip, numeric=False),
        _Column(f"p {title}", lambda row: getattr(row, probability), share, f"Its probability. {tip}"),
    )


def short_name(name: str) -> str:
    """Return a file's name without its folder, or the number of an image of a data set, which the panel names above the table."""
    return name[name.rindex("[") + 1 : -1] if name.endswith("]") and "[" in name else Path(name).name


_BEFORE, _P_BEFORE = _prediction("before", "before", "probability_before", "The prediction for the clean image")
_AFTER, _P_AFTER = _prediction("after", "after", "probability_after", "The prediction for the adversarial image")
COLUMNS: tuple[_Column, ...] = (
    _Column("image", lambda row: row.number, lambda row: short_name(row.name), "In the order of the data set", False),
    _Column("outcome", lambda row: row.verdict, lambda row: row.verdict, "An image that the model misread before counts for itself", False),
    _Column(
        "not knowing",
        lambda row: row.verdict,
        lambda row: row.verdict,
        "The outcome of an attacker who does not know the defense",
        False,
        True,
    ),
    _Column("label", lambda row: row.name_of(row.label) or "", lambda row: row.name_of(row.label) or "", "The true class", False),
    _AFTER,
    _P_AFTER,
    _Column(
        "flip",
        lambda row: None if row.reached_before else row.steps_to_flip,
        lambda row: "before" if row.reached_before else "" if row.steps_to_flip is None else f"{row.steps_to_flip:,}",
        "The first successful step; “before” for an image that counted as a success before the attack",
    ),
    _norm("linf", "L∞", "Largest change of a value, measured from the image as it was attacked"),
    _norm("l2", "L2", "Length of the perturbation, measured from the image as it was attacked"),
    _norm("l0", "L0", "Number of changed pixels"),
    _BEFORE,
    _P_BEFORE,
    _Column("s", lambda row: row.seconds, lambda row: f"{row.seconds:.2f}" if not row.error else "", "Seconds inside the attack"),
)


class _Rows(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[ImageRow, ...] = ()
        self.others: dict[int, ImageRow] | None = None
        """By number the rows of the attacker who does not know the defense; None: there is no defense."""
        self._pictures: dict[int, QPixmap] = {}
        self._palette = parent.palette

    def show_others(self, rows: Sequence[ImageRow] | None) -> None:
        """Show the rows of the attacker who does not know the defense beside the others."""
        self.others = None if rows is None else {row.number: row for row in rows}
        if self.rows:
            place = next(place for place, column in enumerate(COLUMNS) if column.of_unaware)
            self.dataChanged.emit(self.index(0, place), self.index(len(self.rows) - 1, place))

    def show_rows(self, rows: Sequence[ImageRow]) -> None:
        """Append what is new, so that selection and scrolling stay; anything else resets the table."""
        before = len(self.rows)
        if before and tuple(rows[:before]) == self.rows:
            if len(rows) > before:
                self.beginInsertRows(QModelIndex(), before, len(rows) - 1)
                self.rows = tuple(rows)
                self.endInsertRows()
            return
        self.beginResetModel()
        self.rows, self._pictures = tuple(rows), {}
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        own, column = self.rows[index.row()], COLUMNS[index.column()]
        row = (self.others or {}).get(own.number) if column.of_unaware else own
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == Qt.ItemDataRole.UserRole:
            return column.value(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.error or (f"{row.name}\nPress Enter to open it with its result" if index.column() == 0 else column.text(row))
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._picture(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and column.title in ("outcome", "not knowing"):
            colour = _VERDICTS.get(row.verdict)
            palette: QPalette = self._palette()
            return QBrush(theme.muted_colour(palette) if colour is None else theme.readable(colour, palette))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"\u2002{column.title}\u2002"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.tip or column.title}. Click to sort; right click to show and hide columns."
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _picture(self, row: ImageRow) -> QPixmap | None:
        if row.number not in self._pictures and row.picture is not None:
            pixels = row.picture
            height, width = pixels.shape[:2]
            image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            whole = max(height, width) <= _SIDE
            mode = Qt.TransformationMode.FastTransformation if whole else Qt.TransformationMode.SmoothTransformation
            self._pictures[row.number] = QPixmap.fromImage(image).scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, mode)
        return self._pictures.get(row.number)


class _Sorted(QSortFilterProxyModel):
    """Sorts by value, whichever way: rows without a value come last."""

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = (self.sourceModel().data(index, Qt.ItemDataRole.UserRole) for index in (left, right))
        if (one is None) != (other is None):
            return (other is None) == (self.sortOrder() == Qt.SortOrder.AscendingOrder)
        if one is None or one == other:
            return left.row() < right.row()
        less: bool = one < other
        return less


class RowTable(QTableView):
    """The table of a batch. A double click or Enter picks a row."""

    picked = Signal(object)
    """The user has picked a row: its `ImageRow`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen: dict[str, bool] = {}
        """The columns that the user has shown or hidden, by title."""
        self._rows = _Rows(self)
        self._sorted = _Sorted(self)
        self._sorted.setSourceModel(self._rows)
        self._sorted.setDynamicSortFilter(True)
        self.setModel(self._sorted)
        self.setFont(number_font(self.font()))
        self.setAccessibleName("Images and outcomes")
        self.setToolTip("Double click or Enter: open the image with its result and its timeline. Click a header to sort.")
        self.setItemDelegate(Spaced(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_SIDE + 4)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.setSortIndicatorClearable(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.doubleClicked.connect(self._on_picked)

    def show_rows(self, rows: Sequence[ImageRow], unaware: Sequence[ImageRow] | None = None) -> None:
        """Show the rows; those of before stay as they are, if the new ones only follow them.

        ``unaware`` are those of an attacker who does not know the defense; None: there is no defense.
        """
        fresh = not self._rows.rows or (self._rows.others is None) != (unaware is None)
        self._rows.show_rows(rows)
        self._rows.show_others(unaware)
        if rows and (fresh or len(rows) <= 64):
            self._fit()

    @property
    def shown(self) -> tuple[ImageRow, ...]:
        """The rows in the order of the screen."""
        places = (self._sorted.mapToSource(self._sorted.index(row, 0)).row() for row in range(self._sorted.rowCount()))
        return tuple(self._rows.rows[place] for place in places)

    def _fit(self) -> None:
        """Set the widths of the columns so that none needs scrolling: names share what the numbers leave, and the least telling hide."""
        wanted = [self._width_of(place) for place in range(len(COLUMNS))]
        room, names = self.viewport().width(), [place for place, column in enumerate(COLUMNS) if place and not column.numeric]
        least = [min(width, _NAME) if place in names else width for place, width in enumerate(wanted)]
        hidden = {place for place, title in enumerate(self._titles) if self._chosen.get(title) is False} | self._unused
        for title in _LEAST_TELLING:
            if sum(width for place, width in enumerate(least) if place not in hidden) <= room:
                break
            if self._chosen.get(title) is None:
                hidden.add(self._titles.index(title))
        for place in range(len(COLUMNS)):
            self.setColumnHidden(place, place in hidden)
        shown = [place for place in names if place not in hidden]
        spare = room - sum(width for place, width in enumerate(least) if place not in hidden)
        for place, width in enumerate(least):
            if place in shown and spare > 0:
                more = min(wanted[place] - width, spare // (len(shown) - shown.index(place)))
                width, spare = width + more, spare - more
            self.setColumnWidth(place, width)

    def _width_of(self, place: int) -> int:
        """Return the width in which the texts of a column are whole."""
        metrics, rows, column = self.fontMetrics(), self._rows.rows[:64], COLUMNS[place]
        if column.of_unaware:
            rows = tuple((self._rows.others or {}).values())[:64]
        widest = max(metrics.horizontalAdvance(text) for text in (f"{column.title}    ▾", *(column.text(row) for row in rows)))
        return min(160, widest + 18 + 2 * SPACE) if place else min(140, widest + _SIDE + 24)

    @property
    def _unused(self) -> set[int]:
        """The columns of the attacker who does not know the defense, where there is no defense."""
        return {place for place, column in enumerate(COLUMNS) if column.of_unaware and self._rows.others is None}

    @property
    def _titles(self) -> list[str]:
        return [column.title for column in COLUMNS]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._rows.rows:
            self._fit()

    @Slot(QPoint)
    def _on_header_menu(self, at: QPoint) -> None:
        menu = self.columns_menu()
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    def columns_menu(self) -> QMenu:
        """Return the menu with which the user shows and hides columns; what is shown by hand stays, even if it needs scrolling."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place, title in enumerate(self._titles[1:], 1):
            if place in self._unused:
                continue
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.toggled.connect(partial(self._choose, title))
        return menu

    def _choose(self, title: str, shown: bool) -> None:
        self._chosen[title] = shown
        if self._rows.rows:
            self._fit()

    @Slot(QModelIndex)
    def _on_picked(self, index: QModelIndex) -> None:
        self.picked.emit(self._rows.rows[self._sorted.mapToSource(index).row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._on_picked(self.currentIndex())
        else:
            super().keyPressEvent(event)
