"""SourceList: the models that can be loaded by name, shipped ones first, then torchvision's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from engine.text.cards import data_name
from gui import theme

if TYPE_CHECKING:
    from engine.models import ModelEntry

_ENTRY = Qt.ItemDataRole.UserRole


class SourceList(QWidget):
    """The list of models. A double click or Enter loads one; the panel's button loads the selected one."""

    activated = Signal(object)
    """A model is to be loaded: its `ModelEntry`."""
    selected = Signal()
    torchvisionWanted = Signal()
    """The user has opened the group of torchvision's networks. Listing them imports torchvision, which takes seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search models")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search models")
        self.search.setToolTip("Narrow the list by name or data set. Enter loads the first.")
        self.search.addAction(theme.icon("mdi6.magnify"), QLineEdit.ActionPosition.LeadingPosition)
        self.tree = QTreeWidget(self)
        self.tree.setColumnCount(3)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(12)
        self.tree.setUniformRowHeights(True)
        self.tree.setMinimumHeight(150)
        self.tree.setAccessibleName("Models")
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._shipped = self._group("Shipped")
        self._torchvision = self._group("torchvision (ImageNet)")
        self._torchvision.setToolTip(0, "Networks with published weights. Open to list them; nothing is downloaded before you agree.")
        self._torchvision.addChild(QTreeWidgetItem(["listing…"]))
        self._requested = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.search)
        layout.addWidget(self.tree)
        self._shipped.setExpanded(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._load_first)
        self.tree.itemExpanded.connect(self._on_expanded)
        self.tree.itemActivated.connect(self._on_activated)
        self.tree.itemSelectionChanged.connect(self.selected)

    def _group(self, title: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self.tree, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        group.setSizeHint(0, QSize(0, self.fontMetrics().height() + 6))
        return group

    # ------------------------------------------------------------------ the list

    def show_shipped(self, entries: Sequence[ModelEntry]) -> None:
        """Fill the group of shipped models."""
        self._fill(self._shipped, entries)

    def show_torchvision(self, entries: Sequence[ModelEntry]) -> None:
        """Fill the group of torchvision's networks, those on this machine first."""
        self._fill(self._torchvision, sorted(entries, key=lambda entry: not entry.available))
        self._filter(self.search.text())

    def _fill(self, group: QTreeWidgetItem, entries: Sequence[ModelEntry]) -> None:
        group.takeChildren()
        for entry in entries:
            accuracy = "" if entry.accuracy is None else f"{100 * entry.accuracy:.1f} %"
            here = "" if entry.available else f"{entry.megabytes:.0f} MB"
            item = QTreeWidgetItem([entry.title, accuracy, here])
            if not entry.available:
                item.setIcon(2, theme.icon("mdi6.download-outline"))
            for column in (1, 2):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setFont(column, theme.number_font(self.font()))
            channels, height, width = entry.input_shape
            where = "on this machine" if entry.available else f"to be downloaded, {entry.megabytes:.1f} MB"
            tip = (
                f"{entry.source}: {data_name(entry.data_set)}, {entry.classes:,} classes, {channels} × {height} × {width}, "
                f"{entry.parameters:,} parameters{f', {accuracy} right' if accuracy else ''}; {where}"
            )
            for column in range(3):
                item.setToolTip(column, tip)
            item.setData(0, _ENTRY, entry)
            group.addChild(item)

    @property
    def entry(self) -> ModelEntry | None:
        """Return the selected model; None if none is selected."""
        items = self.tree.selectedItems()
        entry: ModelEntry | None = items[0].data(0, _ENTRY) if items else None
        return entry

    def select(self, source: str) -> None:
        """Select the model of a source."""
        for item in self._items():
            if item.data(0, _ENTRY).source == source:
                self.tree.setCurrentItem(item)

    @property
    def shown(self) -> list[str]:
        """Return the sources of the models that match the search."""
        return [item.data(0, _ENTRY).source for item in self._items() if not item.isHidden()]

    def _items(self) -> list[QTreeWidgetItem]:
        found = (group.child(i) for group in (self._shipped, self._torchvision) for i in range(group.childCount()))
        return [item for item in found if item is not None and item.data(0, _ENTRY) is not None]

    # ------------------------------------------------------------------ from the user

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        if words:
            self._torchvision.setExpanded(True)
        for item in self._items():
            entry = item.data(0, _ENTRY)
            about = f"{entry.source} {entry.title} {data_name(entry.data_set)}".casefold()
            item.setHidden(not all(word in about for word in words))
            if item.isHidden():
                item.setSelected(False)  # the button acts on what can be seen
        for group in (self._shipped, self._torchvision):
            children = [group.child(place) for place in range(group.childCount())]
            group.setHidden(bool(words) and not any(child is not None and not child.isHidden() for child in children))

    @Slot()
    def _load_first(self) -> None:
        """Select the first hit, unless another one is selected, and load it."""
        if self.entry is None and self.shown:
            self.select(self.shown[0])
        if self.entry is not None:
            self.activated.emit(self.entry)

    @Slot(QTreeWidgetItem)
    def _on_expanded(self, item: QTreeWidgetItem) -> None:
        if item is self._torchvision and not self._requested:
            self._requested = True
            self.torchvisionWanted.emit()

    @Slot(QTreeWidgetItem, int)
    def _on_activated(self, item: QTreeWidgetItem, _column: int) -> None:
        entry = item.data(0, _ENTRY)
        if entry is not None:
            self.activated.emit(entry)
