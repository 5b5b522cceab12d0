"""MessagesPanel: the messages, the newest at the bottom; details are folded under their line."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QFontDatabase, QFontMetrics, QGuiApplication, QIcon, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.session.log_entry import LogEntry, LogKind
from gui.session.session import Session
from gui.theme import GRID, icon
from gui.widgets import EmptyState

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


class MessagesPanel(QWidget):
    """The list of messages."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree, self.button = QTreeWidget(), QToolButton()
        self.entries: list[LogEntry] = []
        self._at_end = True
        self._follow = QTimer(self)
        self._follow.setSingleShot(True)
        self._follow.setInterval(0)
        self._follow.timeout.connect(self._on_follow)
        self._build()
        session.logged.connect(self.add)

    def _build(self) -> None:
        tree = self.tree
        tree.setHeaderHidden(True)
        tree.setColumnCount(1)
        tree.setWordWrap(True)
        tree.setItemDelegate(_Wrapping(tree))
        tree.setIndentation(16)
        tree.setTextElideMode(Qt.TextElideMode.ElideNone)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        tree.setAccessibleName("Messages")
        tree.setToolTip("A line with an arrow has details: parameters, or an error's traceback.")
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._on_menu)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), tree)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.copy)
        self.button.setText("Copy")
        self.button.setIcon(icon("mdi6.content-copy"))
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setAutoRaise(True)
        self.button.setToolTip("Copy the selected lines with their details; all of them where none is selected.")
        self.button.clicked.connect(self.copy)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(tree, 1)
        row.setContentsMargins(GRID, 4, GRID, 4)
        layout.addLayout(row)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(
            EmptyState("Nothing has happened yet. Runs, how they ended, and errors are listed here.", "mdi6.text-box-outline")
        )
        self._pages.addWidget(body)

    @Slot(object)
    def add(self, entry: LogEntry) -> None:
        """Append a line, and scroll to it if the view was at its end."""
        self.entries.append(entry)
        item = QTreeWidgetItem(self.tree, [f"{entry.at:%H:%M:%S}  {entry.text}"])
        item.setTextAlignment(0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        item.setIcon(0, _icon(entry.kind))
        if entry.details:
            details = QTreeWidgetItem(item, [entry.details.rstrip()])
            details.setFont(0, QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        if len(self.entries) > MOST:
            del self.entries[0]
            self.tree.takeTopLevelItem(0)
        self._pages.setCurrentIndex(1)
        if self.isVisible():
            self._follow.start()

    @Slot()
    def _on_follow(self) -> None:
        """Scroll to the end, once for all lines that were added, unless the user has scrolled up."""
        if self._at_end:
            self.tree.scrollToBottom()

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        self._at_end = value >= self.tree.verticalScrollBar().maximum() - 4

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow.start()
        self.tree.scheduleDelayedItemsLayout()  # lines that were added while hidden were wrapped for another width

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.tree.scheduleDelayedItemsLayout()

    def text(self) -> str:
        """Return the selected lines, or all, with their details."""
        rows = sorted({self._line(item) for item in self.tree.selectedItems()}) or range(len(self.entries))
        return "\n".join(_full(self.entries[row]) for row in rows)

    def _line(self, item: QTreeWidgetItem) -> int:
        return self.tree.indexOfTopLevelItem(item.parent() or item)

    @Slot()
    def copy(self) -> None:
        """Copy the selected lines, or all, to the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self.tree)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("mdi6.content-copy"), "Copy", self.copy)
        menu.addAction("Show all details", self.tree.expandAll)
        menu.addAction("Hide all details", self.tree.collapseAll)
        menu.popup(self.tree.viewport().mapToGlobal(at))


def _full(entry: LogEntry) -> str:
    head = f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.kind}: {entry.text}"
    return "\n".join([head, *(f"    {line}" for line in entry.details.rstrip().splitlines())])


def _icon(kind: LogKind) -> QIcon:
    name, colour = _ICONS[kind]
    return icon(name, colour) if colour else icon(name)
