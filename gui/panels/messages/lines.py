"""MessagesPanel: the messages, the newest at the bottom; details are folded under their line."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QFontDatabase, QFontMetrics, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from gui.session.log_entry import LogEntry
from gui.theme import icon, muted_colour

MOST = 500
"""The number of lines that are kept; older ones are removed."""
_ICONS = {
    "run": ("mdi6.check-circle-outline", ""),
    "info": ("mdi6.information-outline", ""),
    "warning": ("mdi6.alert-outline", "#B58900"),
    "error": ("mdi6.alert-circle-outline", "#D0342C"),
}


class _Wrapping(QStyledItemDelegate):
    """Makes rows as high as their wrapped text, since a tree gives every row a single line."""

    def __init__(self, tree: QTreeWidget) -> None:
        super().__init__(tree)
        self._tree = tree
        self._heights: dict[tuple[str, int], int] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        own = index.data(Qt.ItemDataRole.SizeHintRole)
        if isinstance(own, QSize) and own.isValid():  # a button
            return own + QSize(0, 4)
        depth = 2 if index.parent().isValid() else 1
        icon_room = 0 if depth == 2 else self._tree.style().pixelMetric(QStyle.PixelMetric.PM_SmallIconSize) + 6
        width = max(80, self._tree.viewport().width() - depth * self._tree.indentation() - icon_room - 8)
        text = str(index.data())
        if (text, width) not in self._heights:  # cached, since Qt calls this for every row at every new line
            if len(self._heights) > 4 * MOST:
                self._heights.clear()
            font = index.data(Qt.ItemDataRole.FontRole) or self._tree.font()
            wrapped = QFontMetrics(font).boundingRect(QRect(0, 0, width, 1 << 20), Qt.TextFlag.TextWordWrap, text)
            self._heights[text, width] = max(wrapped.height() + 6, 20)
        return QSize(width, self._heights[text, width])


class MessageLines(QTreeWidget):
    """A line for each message. Those that concern another image or model than the present one are painted quietly."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: list[LogEntry] = []
        self._icons = {kind: icon(name, colour) if colour else icon(name) for kind, (name, colour) in _ICONS.items()}
        self._subject = ""
        self._wanted: Callable[[LogEntry], bool] = lambda _entry: True
        self._at_end = True
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(0)
        self._follow.timeout.connect(self._on_follow)
        self.setHeaderHidden(True)
        self.setColumnCount(1)
        self.setWordWrap(True)
        self.setItemDelegate(_Wrapping(self))
        self.setIndentation(16)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.setAccessibleName("Messages")
        self.setToolTip("A line with an arrow has details: parameters, or an error's traceback.")

    # ------------------------------------------------------------------ contents

    def add(self, entry: LogEntry) -> None:
        """Append a line, and scroll to it if the view was at its end."""
        self.entries.append(entry)
        item = QTreeWidgetItem(self, [f"{entry.at:%H:%M:%S}  {entry.text}"])
        item.setTextAlignment(0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        item.setIcon(0, self._icons[entry.kind])
        if entry.about:
            item.setToolTip(0, f"Open at the time: {entry.about}.")
        if entry.details:
            details = QTreeWidgetItem(item, [entry.details.rstrip()])
            details.setFont(0, QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        if entry.offer is not None:
            self._add_offer(item, *entry.offer)
        self._paint(item, entry)
        item.setHidden(not self._wanted(entry))
        if len(self.entries) > MOST:
            del self.entries[0]
            self.takeTopLevelItem(0)
        if self.isVisible():
            self._follow.start()

    def _add_offer(self, item: QTreeWidgetItem, title: str, act: Callable[[], None]) -> None:
        """Put a button below a line."""
        button = QPushButton(title)
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        button.clicked.connect(lambda: act())
        place = QTreeWidgetItem(item)
        self.setItemWidget(place, 0, button)
        place.setSizeHint(0, button.sizeHint())
        item.setExpanded(True)

    def set_subject(self, subject: str) -> None:
        """Set the image and the model that are open; see `LogEntry.about`."""
        if subject != self._subject:
            self._subject = subject
            self._repaint()

    def _repaint(self) -> None:
        for row, entry in enumerate(self.entries):
            item = self.topLevelItem(row)
            if item is not None:
                self._paint(item, entry)

    def _paint(self, item: QTreeWidgetItem, entry: LogEntry) -> None:
        elsewhere = entry.about and entry.about != self._subject
        item.setData(0, Qt.ItemDataRole.ForegroundRole, muted_colour(self.palette()) if elsewhere else None)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._repaint()

    def show_only(self, wanted: Callable[[LogEntry], bool]) -> int:
        """Show the messages that ``wanted`` returns True for, now and later; return their number."""
        self._wanted = wanted
        shown = 0
        for row, entry in enumerate(self.entries):
            item = self.topLevelItem(row)
            if item is not None:
                item.setHidden(not wanted(entry))
                shown += wanted(entry)
        self._follow.start()
        return shown

    # ------------------------------------------------------------------ scrolling

    @Slot()
    def _on_follow(self) -> None:
        """Scroll to the end, once for all lines that were added, unless the user has scrolled up."""
        if self._at_end:
            self.scrollToBottom()

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        self._at_end = value >= self.verticalScrollBar().maximum() - 4

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow.start()
        self.scheduleDelayedItemsLayout()  # lines that were added while hidden were wrapped for another width

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    # ------------------------------------------------------------------ the clipboard

    def text(self) -> str:
        """Return the selected lines, or all that are shown, with their details."""
        shown = [row for row, entry in enumerate(self.entries) if self._wanted(entry)]
        rows = sorted({self._line(item) for item in self.selectedItems()}) or shown
        return "\n".join(_full(self.entries[row]) for row in rows)

    def _line(self, item: QTreeWidgetItem) -> int:
        return self.indexOfTopLevelItem(item.parent() or item)


def _full(entry: LogEntry) -> str:
    about = f" [{entry.about}]" if entry.about else ""
    head = f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.kind}: {entry.text}{about}"
    return "\n".join([head, *(f"    {line}" for line in entry.details.rstrip().splitlines())])
