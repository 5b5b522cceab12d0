"""DataChooser: rows that choose a data set, its split and the number of images, the same in every dock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QSpinBox,
    QWidget,
)

from gui.session.data_choice import Choice, DataSource
from gui.widgets.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from gui.session.data_sources import DataSources

_FOLDER, _PLACE = "folder", "place"
_ALL = "all"
"""The text in place of a split for a data set without splits."""
_DRAWN = 400
"""The largest number of drawn images that is set by default, since drawing one takes about 5 ms."""
_FITTING = {
    "signs": ("gtsrb", "generated:signs"),
    "digits": ("mnist", "generated:digits"),
    "objects": ("cifar10",),
    "imagenet": (),
}


class DataChooser(QWidget):
    """Chooses among the session's data sources. `beside` adds a widget at the end of the second row."""

    changed = Signal()

    def __init__(
        self, sources: DataSources, parent: QWidget | None = None, *, count: int = 200, drawn: int = _DRAWN, count_tip: str = ""
    ) -> None:
        """``count`` is the number of images that is set by default, and ``drawn`` its limit for a set that is drawn."""
        super().__init__(parent)
        self._most_drawn = drawn
        self._sources = sources
        self._usual = count
        self._counted = False
        """Whether the user has chosen the number of images."""
        self.by_hand = False
        """Whether the user made the change that ``changed`` is being emitted for."""
        self.sets = ElidedCombo(self)
        self.sets.setAccessibleName("Data set")
        self.sets.setToolTip("Data sets that are on this machine, or drawn by this project; nothing is downloaded.")
        self.sets.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.sets.setMinimumContentsLength(8)
        self.split = ElidedCombo(self)
        self.split.setAccessibleName("Split")
        self.split.setToolTip("The data set's own split")
        self.count = QSpinBox(self)
        self.count.setRange(1, 100_000)
        self.count.setValue(count)
        self.count.setMinimumWidth(64)
        self.count.setAccessibleName("Number of images")
        self.count.setToolTip(count_tip or "How many images to load, spread evenly over the data set")
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        self._row.addWidget(self.split, 1)
        self._row.addWidget(self.count, 1)
        rows = self.rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(8)
        rows.setVerticalSpacing(4)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("data set", self.sets)
        rows.addRow("images", self._row)
        self.sets.activated.connect(self._on_set)
        self.split.activated.connect(self._on_split)
        self.count.valueChanged.connect(self._on_count)
        sources.changed.connect(self._fill)
        self._fill()

    def beside(self, widget: QWidget) -> None:
        """Add a widget at the end of the second row."""
        self._row.addWidget(widget)

    # ------------------------------------------------------------------ the choice

    @property
    def choice(self) -> Choice | None:
        """The chosen data set; None while the list is empty."""
        source = self._source
        return (
            None
            if source is None
            else Choice(source.name, self.split.currentText() if source.splits else "", self.count.value(), self._sources.root)
        )

    @property
    def title(self) -> str:
        """The title of the chosen data set."""
        return self.sets.currentText()

    @property
    def _source(self) -> DataSource | None:
        return next((source for source in self._sources.sources if source.name == self.sets.currentData()), None)

    def choose(self, name: str) -> None:
        """Choose a data set of the list by its name."""
        self.sets.setCurrentIndex(self.sets.findData(name))
        self._show_splits()

    def set_choice(self, choice: Choice) -> None:
        """Show an earlier choice, if its data set is still listed."""
        place = self.sets.findData(choice.name)
        if place >= 0:
            self.sets.setCurrentIndex(place)
            self._show_splits(choice.split)
            with QSignalBlocker(self.count):
                self.count.setValue(choice.count)

    def suggest(self, kind: str) -> None:
        """Choose the data set that fits a kind of model, if it is listed."""
        name = next((name for name in _FITTING.get(kind, ()) if self.sets.findData(name) >= 0), None)
        if name is not None:
            self.choose(name)

    # ------------------------------------------------------------------ from the sources and the user

    @Slot()
    def _fill(self) -> None:
        chosen, split = self.sets.currentData(), self.split.currentText()
        self.sets.clear()
        for source in self._sources.sources:
            self.sets.addItem(source.title, source.name)
        if self._sources.sources:
            self.sets.insertSeparator(self.sets.count())
        self.sets.addItem("Image folder…", _FOLDER)
        self.sets.addItem("Look for data sets elsewhere…", _PLACE)
        self.sets.setCurrentIndex(max(0, self.sets.findData(chosen)))
        self._show_splits(split)

    @Slot()
    def _on_split(self) -> None:
        self._emit_by_hand()

    def _emit_by_hand(self) -> None:
        """Emit ``changed`` for a change that the user made."""
        self.by_hand = True
        self.changed.emit()
        self.by_hand = False

    @Slot(int)
    def _on_set(self, index: int) -> None:
        self.by_hand = True
        self._choose_set(index)
        self.by_hand = False

    def _choose_set(self, index: int) -> None:
        chosen = self.sets.itemData(index)
        if chosen in (_FOLDER, _PLACE):
            folder = QFileDialog.getExistingDirectory(self, "Folder of images" if chosen == _FOLDER else "Folder that holds data sets")
            self.sets.setCurrentIndex(0)
            if folder and chosen == _FOLDER:
                self.add_folder(Path(folder))
            elif folder:
                self._sources.find(Path(folder))
        self._show_splits()

    def add_folder(self, folder: Path) -> None:
        """Add a folder of images to the list, and choose it."""
        self.choose(self._sources.add_folder(folder))

    @Slot()
    def _on_count(self) -> None:
        self._counted = True
        self._emit_by_hand()

    def _show_splits(self, before: str = "") -> None:
        source = self._source
        splits = (list(source.splits) if source is not None else []) or [_ALL]
        self.split.clear()
        self.split.addItems(splits)
        self.split.setCurrentIndex(splits.index(before) if before in splits else 0)
        self.split.setEnabled(len(splits) > 1)
        if source is not None and not self._counted:
            with QSignalBlocker(self.count):
                self.count.setValue(min(self._usual, self._most_drawn) if source.name.startswith("generated:") else self._usual)
        self.sets.setToolTip("\n".join(filter(None, [self.title, "On this machine, or drawn by this project; nothing is downloaded."])))
        self.changed.emit()
