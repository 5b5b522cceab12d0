"""CatalogueList: the attacks, grouped by the attacker's access to the model, with a search field and a filter by norm."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.text.formatting import named_norms
from gui import theme

if TYPE_CHECKING:
    from engine import Attack

_SLUG = Qt.ItemDataRole.UserRole
_MOST_ROWS = 30
_ARXIV = re.compile(r"^(?:arxiv:|(?:https?://)?(?:[a-z]+\.)*arxiv\.org/\w+/)(\d{4}\.\d{4,5})(?:v\d+)?(?:\.pdf)?[.,;/]?$")
_GAP = 4
ACCESS = {
    "white box": "White box: gradients",
    "scores only": "Black box: scores only",
    "labels only": "Black box: labels only",
    "transfer": "Transfer: through another model",
}
"""Titles of the groups by the attacker's access, in the order of the list."""
NORMS = {"linf": "L∞", "l2": "L2", "l1": "L1", "l0": "L0"}
_NORM_TIPS = {
    "": "Attacks of every norm, and of none",
    "linf": "Attacks that bound the largest change of a value",
    "l2": "Attacks that keep the Euclidean length of the change small",
    "l1": "Attacks that keep the sum of all changes small",
    "l0": "Attacks that change few pixels",
}


def description(attack: type[Attack]) -> str:
    """Return the first paragraph of an attack's docstring, in one line without markup."""
    first = (inspect.getdoc(attack) or attack.title).split("\n\n")[0]
    return named_norms(re.sub(r"`+([^`]*)`+", r"\1", " ".join(first.split())).replace("<-", "←"))


def _fields(attack: type[Attack], group: str) -> tuple[str, ...]:
    """Return the texts that a search in an attack matches, the most specific first."""
    short = re.findall(r"(\w)\w* & (\w)", attack.title)  # C&W
    also = [*attack.also, *("&".join(initials) for initials in short)]
    aim = ["targeted"] * ("targets" in attack.uses) + ["untargeted"] * ("labels" in attack.uses and "targets" not in attack.needs)
    norms = [*attack.norms, *(NORMS[norm] for norm in attack.norms)]
    rest = [attack.family, group, *(preset.title for preset in attack.presets), *norms, *aim]
    return tuple(text.casefold() for text in (attack.title, attack.slug, " ".join(also), attack.paper, description(attack), " ".join(rest)))


def found_at(word: str, fields: Sequence[str]) -> int:
    """Return the index of the first field with a word that starts with ``word``, or -1. The first two, its names, match anywhere."""
    begins = re.compile(rf"(?<!\w){re.escape(word)}")
    return next((i for i, text in enumerate(fields) if (word in text if i < 2 else begins.search(text))), -1)


def searched_words(text: str) -> list[str]:
    """Return the words of a search. An arXiv address or name is reduced to the paper's number, without the version."""
    return [_ARXIV.sub(r"\1", word).removeprefix("arxiv:") for word in text.casefold().split()]


def norms_of(attack: type[Attack]) -> str:
    """Return an attack's norms, such as ``L∞ L2``, or a dash."""
    return " ".join(name for norm, name in NORMS.items() if norm in attack.norms) or "–"


class _Row(QTreeWidgetItem):
    """A row for an attack or a group, sorted by its match with the search, then by its order in the catalogue."""

    rank: tuple[int, ...] = ()

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        return self.rank < other.rank if isinstance(other, _Row) else NotImplemented


class NormFilter(QWidget):
    """A row of buttons that choose one norm or any."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(QLabel("norm", self))
        row.addSpacing(4)
        for norm, name in {"": "any", **NORMS}.items():
            button = self.buttons[norm] = QToolButton(self)
            button.setText(name)
            button.setCheckable(True)
            button.setProperty("choice", True)  # the style sheet gives the checked button of a choice the accent colour
            button.setChecked(not norm)
            button.setToolTip(_NORM_TIPS[norm])
            button.setAccessibleName(f"Norm: {name}")
            button.toggled.connect(self._on_toggled)
            group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)

    @property
    def norm(self) -> str:
        """The chosen norm's name in the engine; empty for any."""
        return next(norm for norm, button in self.buttons.items() if button.isChecked())

    @Slot(bool)
    def _on_toggled(self, checked: bool) -> None:
        if checked:
            self.changed.emit()


class CatalogueList(QWidget):
    """The list of attacks by access and family. Typing reduces it to matches, and Enter chooses the first."""

    chosen = Signal(str)
    """An attack was selected: its slug."""
    settled = Signal()
    """An attack was chosen by a click or Enter, so the list may close."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search attacks")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search attacks")
        self.search.setToolTip(
            "Narrow the list by name, author, year, arXiv id or address, description, family, preset or norm, or by “targeted”. "
            "What fits best stands first; Enter takes it."
        )
        self.search.addAction(theme.icon("mdi6.magnify"), QLineEdit.ActionPosition.LeadingPosition)
        self.norms = NormFilter(self)
        self.tree = QTreeWidget(self)
        self._style_tree()
        self._nothing = QLabel("No attack is found by these words and this norm.", self)
        self._nothing.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._nothing.hide()
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._take_first)
        self.norms.changed.connect(self._filter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        layout.addWidget(self.search)
        layout.addWidget(self.norms)
        layout.addWidget(self._nothing)
        layout.addWidget(self.tree, 1)
        self._fields: dict[str, tuple[str, ...]] = {}
        self._norms: dict[str, tuple[str, ...]] = {}

    def _style_tree(self) -> None:
        self.tree.setColumnCount(3)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(12)
        self.tree.setFrameShape(QFrame.Shape.StyledPanel)
        self.tree.setRootIsDecorated(False)
        self.tree.setItemsExpandable(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAllColumnsShowFocus(True)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.header().setStretchLastSection(False)
        for column, mode in enumerate((QHeaderView.ResizeMode.Stretch, *[QHeaderView.ResizeMode.ResizeToContents] * 2)):
            self.tree.header().setSectionResizeMode(column, mode)
        self.tree.setAccessibleName("Attacks")
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemClicked.connect(self._on_picked)
        self.tree.itemActivated.connect(self._on_picked)

    def set_attacks(self, attacks: Mapping[str, type[Attack]]) -> None:
        """Fill the list, without a selection."""
        self.tree.blockSignals(True)
        self.tree.clear()
        for access, title in ACCESS.items():
            known = [attack for attack in attacks.values() if attack.access() == access]
            if known:
                self._add_group(title, known)
        self.tree.blockSignals(False)
        self._paint_quiet()
        self._fit()

    def _add_group(self, title: str, attacks: list[type[Attack]]) -> None:
        group = _Row(self.tree, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setSizeHint(0, QSize(0, self._row_height))
        group.setFirstColumnSpanned(True)
        group.setExpanded(True)
        font = self.font()
        font.setBold(True)
        group.setFont(0, font)
        families = list(dict.fromkeys(attack.family for attack in attacks))
        for attack in sorted(attacks, key=lambda attack: families.index(attack.family)):
            item = _Row(group, [attack.title, attack.family, norms_of(attack)])
            item.setSizeHint(0, QSize(0, self._row_height))
            item.setData(0, _SLUG, attack.slug)
            for column in range(3):
                item.setToolTip(column, "\n".join(filter(None, [description(attack), attack.paper])))
            self._fields[attack.slug] = _fields(attack, title)
            self._norms[attack.slug] = attack.norms

    def _paint_quiet(self) -> None:
        muted = theme.muted_colour(self.palette())
        for group in self._groups():
            group.setForeground(0, muted)
        for item in self._items():
            for column in (1, 2):
                item.setForeground(column, muted)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "tree"):
            self._paint_quiet()

    def choose(self, slug: str) -> None:
        """Select an attack by its slug."""
        for item in self._items():
            if item.data(0, _SLUG) == slug:
                self.tree.setCurrentItem(item)

    @property
    def shown(self) -> list[str]:
        """Return the slugs of the attacks that match search and filter."""
        return [item.data(0, _SLUG) for item in self._items() if not item.isHidden()]

    def _groups(self) -> list[_Row]:
        groups = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [group for group in groups if isinstance(group, _Row)]

    def _items(self) -> list[_Row]:
        return [item for group in self._groups() for item in _children(group)]

    @Slot()
    def _filter(self) -> None:
        words, norm = searched_words(self.search.text()), self.norms.norm
        order = list(self._fields)
        for group in self._groups():
            for item in _children(group):
                slug = item.data(0, _SLUG)
                places = [found_at(word, self._fields[slug]) for word in words]
                item.setHidden(-1 in places or (norm != "" and norm not in self._norms[slug]))
                item.rank = (max(places, default=0), sum(places), order.index(slug))
            shown = [item.rank for item in _children(group) if not item.isHidden()]
            group.setHidden(not shown)
            group.rank = min(shown, default=(len(order),))
        self.tree.sortItems(0, Qt.SortOrder.AscendingOrder)
        self._nothing.setVisible(not self.shown)
        self.tree.scrollToTop()

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

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        item = self.tree.currentItem()
        if item is not None:
            self.tree.scrollToItem(item)

    def _fit(self) -> None:
        """Make the list as high as its rows, up to a limit."""
        rows = len(self._items()) + self.tree.topLevelItemCount()
        self.tree.setMinimumHeight(min(rows, 8) * self._row_height)
        self.tree.setMaximumHeight(min(rows, _MOST_ROWS) * self._row_height + 2 * self.tree.frameWidth() + 2)

    @property
    def wanted_height(self) -> int:
        """Return the height at which all rows are visible, up to the limit."""
        above = self.search.sizeHint().height() + self.norms.sizeHint().height() + 2 * _GAP
        return above + self.tree.maximumHeight()

    @property
    def wanted_width(self) -> int:
        """Return the width at which no column is cut."""
        metrics = self.fontMetrics()
        columns = (max((metrics.horizontalAdvance(item.text(column)) for item in self._items()), default=0) for column in range(3))
        return sum(columns) + 9 * theme.GRID + self.tree.verticalScrollBar().sizeHint().width()

    @property
    def _row_height(self) -> int:
        return self.fontMetrics().height() + 6


def _children(group: QTreeWidgetItem) -> list[_Row]:
    groups = (group.child(i) for i in range(group.childCount()))
    return [item for item in groups if isinstance(item, _Row)]
