"""CheckList: a short list of rows that are ticked with a click or the space bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

_KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Check:
    """One row."""

    key: str
    title: str
    tip: str = ""
    obstacle: str = ""
    """The reason why the row cannot be ticked; empty if it can."""


class CheckList(QListWidget):
    """Rows with a tick each. A click anywhere on a row turns its tick; rows that stay keep theirs when the list is replaced."""

    changed = Signal()
    """The user has turned a tick."""

    def __init__(self, name: str, rows: int, parent: QWidget | None = None) -> None:
        """``rows`` is the largest number of rows that the list is high for; more are scrolled."""
        super().__init__(parent)
        self._most = rows
        self.setAccessibleName(name)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setTabKeyNavigation(False)
        self.itemClicked.connect(self._turn)

    def set_checks(self, checks: Sequence[Check], ticked: Sequence[str] = ()) -> None:
        """Replace the rows; those in ``ticked`` and those that were ticked before are ticked."""
        before, current = {*self.ticked, *ticked}, self.current
        with QSignalBlocker(self):
            self.clear()
            for check in checks:
                item = QListWidgetItem(check.title, self)
                item.setData(_KEY, check.key)
                item.setSizeHint(QSize(0, self._row))
                item.setToolTip(check.obstacle or check.tip or check.title)
                flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
                item.setFlags(Qt.ItemFlag.NoItemFlags if check.obstacle else flags)
                item.setCheckState(Qt.CheckState.Checked if check.key in before and not check.obstacle else Qt.CheckState.Unchecked)
                if check.key == current:
                    self.setCurrentItem(item)
        self.setFixedHeight(self.sizeHint().height())

    def sizeHint(self) -> QSize:
        rows = max(2, min(self._most, self.count()))
        return QSize(200, rows * self._row + 2 * self.frameWidth())

    @property
    def _row(self) -> int:
        return self.fontMetrics().height() + 6

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all rows."""
        return tuple(self.item(row).data(_KEY) for row in range(self.count()))

    @property
    def current(self) -> str:
        """The key of the selected row; empty if there is none."""
        item = self.currentItem()
        return "" if item is None else str(item.data(_KEY))

    @property
    def ticked(self) -> tuple[str, ...]:
        """The keys of the ticked rows, from top to bottom."""
        items = (self.item(row) for row in range(self.count()))
        return tuple(item.data(_KEY) for item in items if item.checkState() == Qt.CheckState.Checked)

    def tick(self, keys: Sequence[str]) -> None:
        """Tick these rows and no others."""
        for row in range(self.count()):
            item = self.item(row)
            able = bool(item.flags() & Qt.ItemFlag.ItemIsEnabled)
            item.setCheckState(Qt.CheckState.Checked if able and item.data(_KEY) in keys else Qt.CheckState.Unchecked)

    @Slot(QListWidgetItem)
    def _turn(self, item: QListWidgetItem) -> None:
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            on = item.checkState() == Qt.CheckState.Checked
            item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)
            self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.currentItem() is not None:
            self._turn(self.currentItem())
        else:
            super().keyPressEvent(event)
