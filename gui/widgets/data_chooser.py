"""Which data set, which split of it, and how many of its images: the same rows in every dock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from gui.session.data_choice import Choice, DataSource

if TYPE_CHECKING:
    from gui.session.data_sources import DataSources

_FOLDER, _PLACE = "folder", "place"
_ALL = "all"
"""In place of a split where a data set has none."""
_DRAWN = 400
"""At most so many images are drawn unless a person asks for more: each takes about 5 ms."""
_FITTING = {
    "signs": ("gtsrb", "generated:signs"),
    "digits": ("mnist", "generated:digits"),
    "objects": ("cifar10",),
    "imagenet": (),
}


class DataChooser(QWidget):
    """Follows the session's data sources; ``beside`` takes a widget at the end of its second row."""

    changed = Signal()

    def __init__(self, sources: DataSources, parent: QWidget | None = None, *, count: int = 200, count_tip: str = "") -> None:
        super().__init__(parent)
        self._sources = sources
        self._usual = count
        self._counted = False
        """Whether a person has chosen the number."""
        self.by_hand = False
        """While ``changed`` is emitted: whether a person made the change."""
        self.sets = _Combo(self)
        self.sets.setAccessibleName("Data set")
        self.sets.setToolTip("Data sets that are on this machine, or drawn by this project; nothing is downloaded.")
        self.sets.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.sets.setMinimumContentsLength(8)
        self.split = _Combo(self)
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
        rows = QFormLayout(self)
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
        """Put a widget at the end of the second row."""
        self._row.addWidget(widget)

    # ------------------------------------------------------------------ what is chosen

    @property
    def choice(self) -> Choice | None:
        """None while nothing is listed."""
        source = self._source
        return (
            None
            if source is None
            else Choice(source.name, self.split.currentText() if source.splits else "", self.count.value(), self._sources.root)
        )

    @property
    def title(self) -> str:
        """Of the data set."""
        return self.sets.currentText()

    @property
    def _source(self) -> DataSource | None:
        return next((source for source in self._sources.sources if source.name == self.sets.currentData()), None)

    def choose(self, name: str) -> None:
        """Choose a data set of the list."""
        self.sets.setCurrentIndex(self.sets.findData(name))
        self._show_splits()

    def set_choice(self, choice: Choice) -> None:
        """Show a choice that was made before, where its data set is still listed."""
        place = self.sets.findData(choice.name)
        if place >= 0:
            self.sets.setCurrentIndex(place)
            self._show_splits(choice.split)
            with QSignalBlocker(self.count):
                self.count.setValue(choice.count)

    def suggest(self, kind: str) -> None:
        """Choose the data set that a model of that kind was made for, where it is there."""
        found = next((name for name in _FITTING.get(kind, ()) if self.sets.findData(name) >= 0), None)
        if found is not None:
            self.choose(found)

    # ------------------------------------------------------------------ from the sources and from a person

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
        self._tell()

    def _tell(self) -> None:
        """Say that a person chose something else."""
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
        """List a folder of images, and choose it."""
        self.choose(self._sources.add_folder(folder))

    @Slot()
    def _on_count(self) -> None:
        self._counted = True
        self._tell()

    def _show_splits(self, before: str = "") -> None:
        source = self._source
        splits = (list(source.splits) if source is not None else []) or [_ALL]
        self.split.clear()
        self.split.addItems(splits)
        self.split.setCurrentIndex(splits.index(before) if before in splits else 0)
        self.split.setEnabled(len(splits) > 1)
        if source is not None and not self._counted:
            with QSignalBlocker(self.count):
                self.count.setValue(min(self._usual, _DRAWN) if source.name.startswith("generated:") else self._usual)
        self.sets.setToolTip("\n".join(filter(None, [self.title, "On this machine, or drawn by this project; nothing is downloaded."])))
        self.changed.emit()


class _Combo(QComboBox):
    """Cut with an ellipsis where there is no room: a style paints as much as there is room for, in the middle of a letter."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width() - 4
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the panel scrolls; a wheel must not change what is under it
