"""CommandPalette: the search field over the list of entries, at the top of the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.shell.palette.entries import Entry, find
from gui.widgets.popup_keys import PopupKeys

_WIDTH, _ROWS = 75 * theme.GRID, 12
_ENTRY = Qt.ItemDataRole.UserRole
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class EntryModel(QAbstractListModel):
    """The entries that match the search."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def show_entries(self, entries: list[Entry]) -> None:
        """Replace the entries."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.title}, {entry.kind}{f', {entry.keys}' if entry.keys else ''}"
        return entry if role == _ENTRY else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        enabled = self.entries[index.row()].enabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable if enabled else Qt.ItemFlag.NoItemFlags


class _Line(QStyledItemDelegate):
    """Paints an entry: the title at the left, its keys and its kind at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(0, option.fontMetrics.height() + theme.GRID + 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        entry: Entry = index.data(_ENTRY)
        state, rect, palette = option.state, option.rect, option.palette
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Highlight))
        line = rect.adjusted(theme.GRID, 0, -theme.GRID, 0)
        text = palette.color(QPalette.ColorRole.HighlightedText) if chosen else theme.text_colour(palette)
        quiet = text if chosen else theme.muted_colour(palette)
        metrics = option.fontMetrics
        kind_width = max(metrics.horizontalAdvance(kind) for kind in ("Experiment", "Workspace")) + theme.GRID
        keys_width = metrics.horizontalAdvance(entry.keys) + 2 * theme.GRID if entry.keys else 0
        painter.save()
        painter.setPen(quiet)
        painter.drawText(_right(line, kind_width), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, entry.kind)
        keys = line.adjusted(0, 0, -kind_width - theme.GRID, 0)
        painter.drawText(keys, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, entry.keys)
        painter.setPen(text if entry.enabled else quiet)
        title = line.adjusted(0, 0, -kind_width - keys_width - theme.GRID, 0)
        shown = metrics.elidedText(entry.title, Qt.TextElideMode.ElideRight, title.width())
        painter.drawText(title, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


def _right(line: QRect, width: int) -> QRect:
    return line.adjusted(line.width() - width, 0, 0, 0)


class CommandPalette(QFrame):
    """Typing reduces the list, the arrows move in it, Enter or a click carries out the entry, Esc closes."""

    def __init__(
        self,
        collect: Callable[[], Sequence[Entry]],
        recent: Sequence[str],
        used: Callable[[str], object],
        parent: QWidget,
        text: str = "",
    ) -> None:
        """``collect`` gives the entries, and ``recent`` the ids of those that were used, the newest first.

        ``used`` is called with the id of the one that is carried out.
        """
        super().__init__(parent, Qt.WindowType.Popup)
        self._collect, self._recent, self._used, self._over = collect, recent, used, parent
        self._entries = collect()
        self._keys = PopupKeys(self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Command palette")
        self.search = QLineEdit(text, self)
        self.search.setPlaceholderText("Find a command, attack, model, panel, image, data set …")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Find a command")
        self.search.addAction(theme.icon("mdi6.magnify"), QLineEdit.ActionPosition.LeadingPosition)
        self.model = EntryModel(self)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Line(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setAccessibleName("What was found")
        self.list.clicked.connect(self._carry_out)
        self.nothing = QLabel("Nothing is found by these words.", self)
        self.nothing.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.nothing.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        layout.addWidget(self.search)
        layout.addWidget(self.nothing)
        layout.addWidget(self.list, 1)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self._filter()

    def open(self) -> None:
        """Show the palette below the top edge of its window, in the middle, and stay there when the window is resized."""
        self._over.window().installEventFilter(self)
        self._place()
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    @Slot()
    def collect_again(self) -> None:
        """Collect the entries again, since more are known by now; what is highlighted stays so while it is found."""
        before = self.list.currentIndex().data(_ENTRY)
        self._entries = self._collect()
        self._filter()
        ids = [entry.id for entry in self.model.entries]
        if before is not None and before.id in ids:
            self.list.setCurrentIndex(self.model.index(ids.index(before.id), 0))

    def _place(self) -> None:
        window = self._over.window()
        row = self.list.sizeHintForRow(0) if self.model.rowCount() else 3 * theme.GRID
        width = min(_WIDTH, window.width() - 4 * theme.GRID)
        height = min(_ROWS * row + self.search.sizeHint().height() + 4 * theme.GRID, window.height() - 8 * theme.GRID)
        self.resize(width, height)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - width) // 2, corner.y() + 6 * theme.GRID)

    @Slot()
    def _filter(self) -> None:
        self.model.show_entries(find(self._entries, self.search.text(), self._recent))
        self.nothing.setVisible(not self.model.entries)
        self.list.setVisible(bool(self.model.entries))
        if self.model.entries:
            self.list.setCurrentIndex(self.model.index(0, 0))
            self.list.scrollToTop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list and carry out its entry by the keys that the search field gets, and follow the window's size."""
        if watched is not self.search and event.type() == QEvent.Type.Resize:
            self._place()
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in _MOVES:
                self.list.event(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._carry_out(self.list.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        """Let the shortcuts of the window close the palette and do their work."""
        if event.type() == QEvent.Type.ShortcutOverride:
            self._keys.override(event)
        return super().event(event)

    @Slot(QModelIndex)
    def _carry_out(self, index: QModelIndex) -> None:
        entry: Entry | None = index.data(_ENTRY)
        if entry is None or not entry.enabled:
            return
        self.close()  # first, since the entry may open a dialog
        self._used(entry.id)
        entry.do()
