"""SpikeTable: the spikes, which are units that exceed their layer's maximum on the clean image, the largest ratio first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QTableView, QWidget

from engine.text.formatting import short, with_minus
from gui.panels.activations.layer_list import shortened_name
from gui.theme import number_font

if TYPE_CHECKING:
    from engine.explain import Spike

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
Index = QModelIndex | QPersistentModelIndex
_COLUMNS = (
    ("Layer", "The layer, by the module that calls its rectifier", "conv10"),
    ("Ch.", "Channel, or unit of a dense layer", "000"),
    ("x, y", "Column x and row y of the unit in its layer, as on the canvas", "00, 00"),
    ("Ratio", "Adversarial activation over the reference, which is the layer's largest on the clean image", "0.00×"),
    ("Clean", "Its activation on the clean image", "0.00"),
    ("Adv.", "Its activation on the adversarial image", "00.00"),
)
_PADDING = 3
_NEAR = 1.01
"""The ratio below which two decimals would round to 1.00 or near it."""


def cells(spike: Spike) -> tuple[str, ...]:
    """Return the texts of a row."""
    place = "–" if spike.y is None else f"{spike.y}" if spike.x is None else f"{spike.x}, {spike.y}"
    return (
        spike.site,
        str(spike.channel),
        place,
        times(spike.ratio),
        with_minus(f"{spike.clean:.2f}"),
        with_minus(f"{spike.adversarial:.2f}"),
    )


def times(ratio: float) -> str:
    """Return a ratio as text, such as “1.65×”; close to 1 with as many decimals as distinguish it from 1."""
    if math.isinf(ratio):
        return "∞"
    if ratio < _NEAR:
        return f"{ratio:.3f}×" if ratio >= 1.0005 else "> 1×"
    return f"{ratio:.2f}×" if ratio < 10 else f"{short(ratio)}×"


def tip(spike: Spike) -> str:
    """Return a row's tool tip: all of its values and the reference."""
    at = "" if spike.y is None else f", unit {spike.y}" if spike.x is None else f", x {spike.x}, y {spike.y}"
    return (
        f"{spike.site}, channel {spike.channel}{at}\n"
        f"activation: clean {with_minus(f'{spike.clean:.2f}')}, adversarial {with_minus(f'{spike.adversarial:.2f}')}\n"
        f"reference, the layer's largest on the clean image: {spike.reference:.2f}"
    )


def unit(spike: Spike) -> tuple[str, int, int | None, int | None]:
    """Return what identifies a spike's unit: site, channel, row and column."""
    return spike.site, spike.channel, spike.y, spike.x


class SpikeModel(QAbstractTableModel):
    """The spikes of the newest frame. Rows are changed in place, since a reset of the model would be slow."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.spikes: tuple[Spike, ...] = ()
        self.cells: list[tuple[str, ...]] = []

    def set_spikes(self, spikes: Sequence[Spike]) -> None:
        """Replace the spikes, changing rows in place."""
        old, new = len(self.spikes), len(spikes)
        fresh = [cells(spike) for spike in spikes]
        if new < old:
            self.beginRemoveRows(QModelIndex(), new, old - 1)
        elif new > old:
            self.beginInsertRows(QModelIndex(), old, new - 1)
        self.spikes, self.cells = tuple(spikes), fresh
        if new < old:
            self.endRemoveRows()
        elif new > old:
            self.endInsertRows()
        if new:
            self.dataChanged.emit(self.index(0, 0), self.index(new - 1, len(_COLUMNS) - 1), [Qt.ItemDataRole.DisplayRole])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.spikes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells[index.row()][index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self.spikes[index.row()])
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section][0]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return _COLUMNS[section][1]
        if role == Qt.ItemDataRole.DisplayRole:
            return str(section + 1)
        return None


class _Plain(QStyledItemDelegate):
    """Paints the text of a cell only: the style's own painting would take half the time of a frame."""

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        model: Any = index.model()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, option.palette.highlight())
        painter.setPen(option.palette.highlightedText().color() if chosen else option.palette.text().color())
        column = index.column()
        text, inner = model.cells[index.row()][column], option.rect.adjusted(_PADDING, 0, -_PADDING, 0)
        if column == 0:
            text = shortened_name(text, option.fontMetrics, inner.width())
        painter.drawText(inner, _LEFT if column == 0 else _RIGHT, text)


class SpikeTable(QTableView):
    """The table of spikes. Choosing a row chooses its layer."""

    chosen = Signal(str)
    """A row was chosen: its site's name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spikes = SpikeModel(self)
        self._following = False
        self.setModel(self.spikes)
        self.setItemDelegate(_Plain(self))
        self.setFont(number_font(self.font()))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Spikes")
        self.setToolTip("Units whose activation exceeds their layer's largest on the clean image, the largest ratio first.")
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 4)
        self._set_columns()
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def _set_columns(self) -> None:
        """Set the widths of the columns: usual widths of numbers, and the rest for the layer's name."""
        head, metrics = self.horizontalHeader(), self.fontMetrics()
        head.setMinimumSectionSize(metrics.horizontalAdvance("000"))
        for column, (title, _tip, widest) in enumerate(_COLUMNS):
            width = max(metrics.horizontalAdvance(widest), head.fontMetrics().horizontalAdvance(title))
            self.setColumnWidth(column, width + 2 * _PADDING)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _widen(self) -> None:
        """Widen columns whose numbers do not fit. They never shrink, since they would jump with every frame."""
        for column in range(1, len(_COLUMNS)):
            longest = max((row[column] for row in self.spikes.cells), key=len, default="")
            width = self.fontMetrics().horizontalAdvance(longest) + 2 * _PADDING
            if width > self.columnWidth(column):
                self.setColumnWidth(column, width)

    def set_spikes(self, spikes: Sequence[Spike]) -> None:
        """Show spikes; the chosen unit stays chosen at whatever rank."""
        here = self.currentIndex().row()
        kept = unit(self.spikes.spikes[here]) if 0 <= here < len(self.spikes.spikes) else None
        self._following = True
        self.spikes.set_spikes(spikes)
        self._widen()
        row = next((i for i, spike in enumerate(spikes) if unit(spike) == kept), -1)
        if kept is not None and row != here:
            self.setCurrentIndex(self.spikes.index(row, 0) if row >= 0 else QModelIndex())
            if row < 0:
                self.clearSelection()
        self._following = False

    @Slot(QModelIndex, QModelIndex)
    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if not self._following and 0 <= current.row() < len(self.spikes.spikes):
            self.chosen.emit(self.spikes.spikes[current.row()].site)
