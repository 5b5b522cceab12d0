"""The list of attacks by family, with a search field above it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme

if TYPE_CHECKING:
    from engine import Attack

_SLUG = Qt.ItemDataRole.UserRole
_MOST_ROWS = 24


def description(attack: type[Attack]) -> str:
    """The first paragraph of its docstring, in one line without markup."""
    first = (inspect.getdoc(attack) or attack.title).split("\n\n")[0]
    return re.sub(r"`+([^`]*)`+", r"\1", " ".join(first.split())).replace("<-", "←")


class CatalogueList(QWidget):
    """Families with their attacks. Typing narrows the list; Enter takes the first."""

    chosen = Signal(str)
    """The slug."""
    settled = Signal()
    """By a click or Enter: the list may close."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search attacks")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search attacks")
        self.search.setToolTip("Narrow the list by name, family, paper or description. Enter takes the first.")
        self.search.addAction(theme.icon("mdi6.magnify"), QLineEdit.ActionPosition.LeadingPosition)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._take_first)
        self.tree = QTreeWidget(self)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(12)
        self.tree.setFrameShape(QFrame.Shape.StyledPanel)
        self.tree.setRootIsDecorated(False)
        self.tree.setItemsExpandable(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.setAccessibleName("Attacks")
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemClicked.connect(self._on_picked)
        self.tree.itemActivated.connect(self._on_picked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.search)
        layout.addWidget(self.tree)
        self._words: dict[str, str] = {}

    def set_attacks(self, attacks: Mapping[str, type[Attack]]) -> None:
        """Fill the list; nothing is chosen yet."""
        self.tree.blockSignals(True)
        self.tree.clear()
        families: dict[str, QTreeWidgetItem] = {}
        for slug, attack in attacks.items():
            if attack.family not in families:
                families[attack.family] = family = QTreeWidgetItem(self.tree, [attack.family])
                family.setFlags(Qt.ItemFlag.ItemIsEnabled)
                family.setSizeHint(0, QSize(0, self._row_height))
                family.setExpanded(True)
            item = QTreeWidgetItem(families[attack.family], [attack.title])
            item.setSizeHint(0, QSize(0, self._row_height))
            item.setData(0, _SLUG, slug)
            item.setToolTip(0, f"{description(attack)}\n{attack.paper}")
            self._words[slug] = " ".join((slug, attack.title, attack.family, attack.paper, description(attack))).casefold()
        self.tree.blockSignals(False)
        self._paint_families()
        self._fit()

    def _paint_families(self) -> None:
        for family in self._families():
            family.setForeground(0, theme.muted_colour(self.palette()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "tree"):
            self._paint_families()

    def choose(self, slug: str) -> None:
        """Select an attack."""
        for item in self._items():
            if item.data(0, _SLUG) == slug:
                self.tree.setCurrentItem(item)

    @property
    def shown(self) -> list[str]:
        """The slugs that the search leaves."""
        return [item.data(0, _SLUG) for item in self._items() if not item.isHidden()]

    def _families(self) -> list[QTreeWidgetItem]:
        found = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [family for family in found if family is not None]

    def _items(self) -> list[QTreeWidgetItem]:
        return [item for family in self._families() for item in _children(family)]

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for item in self._items():
            item.setHidden(not all(word in self._words[item.data(0, _SLUG)] for word in words))
        for family in self._families():
            family.setHidden(all(item.isHidden() for item in _children(family)))
        self.search.setToolTip("Nothing of that name." if not self.shown else "Narrow the list. Enter takes the first.")

    @Slot()
    def _take_first(self) -> None:
        if self.shown:
            self.choose(self.shown[0])
            self.settled.emit()

    @Slot(QTreeWidgetItem)
    def _on_picked(self, item: QTreeWidgetItem) -> None:
        if item.data(0, _SLUG):
            self.settled.emit()

    @Slot(QTreeWidgetItem, QTreeWidgetItem)
    def _on_current(self, item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None) -> None:
        if item is not None and item.data(0, _SLUG):
            self.chosen.emit(item.data(0, _SLUG))

    def _fit(self) -> None:
        """As high as its rows, up to a limit."""
        rows = len(self._items()) + self.tree.topLevelItemCount()
        self.tree.setFixedHeight(min(rows, _MOST_ROWS) * self._row_height + 2 * self.tree.frameWidth())

    @property
    def _row_height(self) -> int:
        return self.fontMetrics().height() + 6


class Chooser(QPushButton):
    """Shows the attack; pressed, it opens the list below itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setStyleSheet("QPushButton { text-align: left; font-weight: 600; }")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(28)
        self.setAccessibleName("Attack")
        self.setToolTip("Choose another attack")
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.popup.setFrameShape(QFrame.Shape.StyledPanel)
        self.list = CatalogueList(self.popup)
        layout = QVBoxLayout(self.popup)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.list)
        self.clicked.connect(self.open)
        self.list.settled.connect(self.popup.hide)

    def set_title(self, title: str) -> None:
        """Of the attack that is chosen."""
        self.setText(f" {title}  ▾")

    @Slot()
    def open(self) -> None:
        """Show the list, ready to be searched."""
        self.list.search.clear()
        self.popup.setFixedWidth(max(self.width(), 300))
        self.popup.adjustSize()
        self.popup.move(self.mapToGlobal(self.rect().bottomLeft()))
        self.popup.show()
        self.list.search.setFocus()


def _children(family: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (family.child(i) for i in range(family.childCount()))
    return [item for item in found if item is not None]
