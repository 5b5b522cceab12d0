"""BatchSetup: which images are attacked, towards what, and in which order. A view without a session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.text.formatting import counted
from gui import theme
from gui.session.open_image import file_filter
from gui.widgets import DataChooser, ElidedLabel
from gui.widgets.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.evaluate.batch import Aim
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources

_AIMS = (("random", "a random other class"), ("next", "the class after the label"), ("least likely", "the least likely class"))
_ORDERS = ("spread evenly", "drawn by seed")
_DRAWN_HERE = "in order, seed"
_OF_A_SET = "Spread evenly over the whole set in its order, or drawn at random by a seed"
_OF_A_SEED = "A set that this project draws has a seed of its own: another seed gives other images."
_TOGETHER = 16
"""Images in one batch where several are attacked at once."""


class BatchSetup(QWidget):
    """The choice of the images, from a data set or from files, and of the targets."""

    changed = Signal()

    def __init__(self, sources: DataSources, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.files: tuple[Path, ...] = ()
        self._planned: int | None = None
        self._sources = sources
        self.from_set = QRadioButton("data set", self)
        self.from_files = QRadioButton("files", self)
        self.from_set.setChecked(True)
        self.chooser = DataChooser(sources, self, count=50, count_tip="How many images are attacked")
        self.classes = QLineEdit(self)
        self.classes.setPlaceholderText("all classes")
        self.classes.setAccessibleName("Classes")
        self.classes.setToolTip("Attack images of these classes only: names or numbers, with commas between them. Empty: all classes.")
        self.order = ElidedCombo(self)
        self.order.addItems(_ORDERS)
        self.order.setAccessibleName("Which of the images")
        self.draw = _spin("Seed of the selection", 0, 2**31 - 1, 0)
        self.aim = ElidedCombo(self)
        self.aim.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.aim.setMinimumContentsLength(8)
        self.aim.setAccessibleName("Target of each image")
        self.aim.setToolTip("What each image is led towards: as the Attack panel says, or a class of its own by a rule")
        self.seed = _spin("Seed of the first image", 0, 2**31 - 1, 0)
        self.seed.setToolTip(
            "The first image is attacked with this seed, the second with the next, and so on, each as in a run of its own."
        )
        self.together = QCheckBox("several at once", self)
        self.together.setToolTip(
            f"Attack {_TOGETHER} images in one batch. It is several times as fast; the last bits of a result may differ from those of a "
            "single run."
        )
        self.paint = QCheckBox(self)
        self.paint.setChecked(True)
        self.paint.setToolTip("Paint the stickers of the canvas over every image before it is attacked")
        self.open_button = QPushButton(theme.icon("mdi6.file-image-plus-outline"), "Files…", self)
        self.folder_button = QPushButton(theme.icon("mdi6.folder-open-outline"), "Folder…", self)
        self.listed = ElidedLabel("Drop files or a folder here.", self, middle=True)
        self._pages = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self._on_changed()
        self.show_plan(None, ())

    def _lay_out(self) -> None:
        kind, order, pick = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for button in (self.from_set, self.from_files):
            kind.addWidget(button)
        kind.addStretch(1)
        order.addWidget(self.order, 1)
        order.addWidget(self.draw)
        in_files, rows = QWidget(self), self.chooser.rows
        rows.addRow("classes", self.classes)
        rows.addRow("which", order)
        for opener in (self.open_button, self.folder_button):
            pick.addWidget(opener)
        pick.addStretch(1)
        column = QVBoxLayout(in_files)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(pick)
        column.addWidget(self.listed)
        column.addStretch(1)
        self._pages.addWidget(self.chooser)
        self._pages.addWidget(in_files)
        common, seeds = QFormLayout(), QHBoxLayout()
        common.setHorizontalSpacing(8)
        common.setVerticalSpacing(4)
        seeds.addWidget(self.seed)
        seeds.addWidget(self.together, 1)
        common.addRow("target", self.aim)
        common.addRow("first seed", seeds)
        common.addRow("stickers", self.paint)
        self._common = common
        _align(rows, common)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(kind)
        layout.addWidget(self._pages)
        layout.addLayout(common)

    def _connect(self) -> None:
        self.from_set.toggled.connect(self._on_kind)
        self.chooser.changed.connect(self._on_changed)
        self.classes.textEdited.connect(self._on_changed)
        self.order.currentIndexChanged.connect(self._on_changed)
        for spin in (self.draw, self.seed):
            spin.valueChanged.connect(self._on_changed)
        self.aim.currentIndexChanged.connect(self._on_changed)
        self.together.toggled.connect(self._on_changed)
        self.open_button.clicked.connect(self._on_files)
        self.folder_button.clicked.connect(self._on_folder)

    # ------------------------------------------------------------------ what is chosen

    @property
    def choice(self) -> Choice | None:
        """The chosen data set with its selection; None for files, and while there is no data set.

        Raises
        ------
        GibbonError
            A class of that name does not exist.
        """
        choice = self.chooser.choice if self.from_set.isChecked() else None
        if choice is None:
            return None
        return replace(choice, classes=self._class_numbers(choice), draw=self.draw.value() if self._draws(choice) else None)

    def _draws(self, choice: Choice) -> bool:
        return choice.drawn_here or self.order.currentIndex() == 1

    def _class_numbers(self, choice: Choice) -> tuple[int, ...]:
        from engine.class_names import class_called
        from engine.data import labels_of

        names = [name.strip() for name in self.classes.text().split(",") if name.strip()]
        if not names:
            return ()
        labels = labels_of(choice.name, choice.split or None)  # type: ignore[arg-type]
        return tuple(sorted({class_called(name, labels) for name in names}))

    @property
    def chosen_aim(self) -> Aim:
        """The rule of the targets, or the class of all images."""
        rule = self.aim.currentData()
        if rule is not None:
            return rule  # type: ignore[no-any-return]
        return "away" if self._planned is None else self._planned

    @property
    def batch_size(self) -> int:
        """The number of images that are attacked in one batch."""
        return _TOGETHER if self.together.isChecked() else 1

    def show_stickers(self, count: int, needed: bool) -> None:
        """Offer to leave out the canvas's stickers; an attack that needs them has them anyway."""
        self.paint.setText(f"paint {counted(count, 'sticker')} on every image")
        self.paint.setEnabled(not needed)
        self._common.setRowVisible(self.paint, count > 0)

    @property
    def paints(self) -> bool:
        """Whether the stickers of the canvas are painted over every image."""
        return self.paint.isChecked() or not self.paint.isEnabled()

    @property
    def missing(self) -> str:
        """The reason why there are no images to attack; empty if there are some."""
        from engine.errors import GibbonError

        if self.from_files.isChecked():
            return "" if self.files else "Choose image files or a folder, or drop them here."
        try:
            return "" if self.choice is not None else "Choose a data set."
        except GibbonError as error:
            return str(error)

    # ------------------------------------------------------------------ from the program

    def show_plan(self, target: int | None, labels: Sequence[str]) -> None:
        """Name the planned target, which the first entry of the targets stands for."""
        self._planned = target
        name = "away from the label" if target is None or target >= len(labels) else labels[target]
        with QSignalBlocker(self.aim):
            chosen = self.aim.currentData()
            self.aim.clear()
            self.aim.addItem(f"as planned: {name}", None)
            for rule, title in _AIMS:
                self.aim.addItem(title, rule)
            self.aim.setCurrentIndex(max(0, self.aim.findData(chosen)) if chosen is not None else 0)

    def set_targeted(self, targeted: bool) -> None:
        """Set whether the attack uses targets at all."""
        self.aim.setEnabled(targeted)

    def set_files(self, paths: Sequence[Path]) -> None:
        """Choose files and folders."""
        self.files = tuple(paths)
        with QSignalBlocker(self.from_set):
            self.from_files.setChecked(bool(paths))
            self.from_set.setChecked(not paths)
        first = str(paths[0]) if paths else ""
        self.listed.setText(
            first if len(paths) == 1 else f"{len(paths)} files, the first: {first}" if paths else "Drop files or a folder here."
        )
        self._on_kind()

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _on_kind(self) -> None:
        self._pages.setCurrentIndex(0 if self.from_set.isChecked() else 1)
        self.changed.emit()

    @Slot()
    def _on_changed(self) -> None:
        choice = self.chooser.choice
        drawn = choice is not None and choice.drawn_here
        if drawn != (self.order.itemText(0) == _DRAWN_HERE):
            with QSignalBlocker(self.order):
                self.order.clear()
                self.order.addItems([_DRAWN_HERE] if drawn else _ORDERS)
        self.order.setEnabled(not drawn)
        self.order.setToolTip(_OF_A_SEED if drawn else _OF_A_SET)
        self.draw.setEnabled(drawn or self.order.currentIndex() == 1)
        self.changed.emit()

    @Slot()
    def _on_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Images to attack", "", file_filter())
        if paths:
            self.set_files([Path(path) for path in paths])

    @Slot()
    def _on_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images")
        if folder:
            self.set_files([Path(folder)])


def _align(*forms: QFormLayout) -> None:
    """Give the captions of several forms one width."""
    items = (form.itemAt(row, QFormLayout.ItemRole.LabelRole) for form in forms for row in range(form.rowCount()))
    captions = [caption for item in items if item is not None and (caption := item.widget()) is not None]
    width = max(caption.sizeHint().width() for caption in captions)
    for caption in captions:
        caption.setMinimumWidth(width)


def _spin(name: str, low: int, high: int, value: int) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setMinimumWidth(64)
    spin.setAccessibleName(name)
    spin.setToolTip(name)
    return spin
