"""TableBuilder: the models, attacks, images and places of a table. It makes a specification, and shows one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from gui import theme
from gui.choosers.attack_rows import AttackRows, usual
from gui.choosers.model_checks import ModelChecks
from gui.panels.tables.places import PlaceChecks
from gui.session.data_choice import Choice
from gui.session.model_rows import ModelRow
from gui.theme import GRID
from gui.widgets.data_chooser import DataChooser
from gui.widgets.elided import ElidedLabel
from gui.widgets.section import Section

if TYPE_CHECKING:
    from engine import Attack
    from engine.evaluate.tables import TableData, TableSpec
    from gui.session.session import Session

_COUNT = 100
_DRAW_TIP = (
    "How the images are chosen: spread evenly over the set, or drawn at random by this seed. A set that is drawn by this project gives "
    "other images for another seed."
)
_SEED_TIP = "The first image is attacked with this seed, the second with the next, and so on"
_TOGETHER_TIP = "Images attacked in one batch: more are faster, and rounding may differ in the last digits"


class TableBuilder(QWidget):
    """The parts of a table. Build it when the engine is loaded."""

    changed = Signal()
    opened = Signal()
    """“Open…” was pressed."""
    saved = Signal()
    """“Save…” was pressed."""

    def __init__(
        self, session: Session, shipped: Sequence[ModelRow], attacks: Mapping[str, type[Attack]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._megabytes: float | None = None
        """Room for images that an opened specification asks for; None: the usual room."""
        self.more_data: tuple[TableData, ...] = ()
        """Further data sets of an opened specification."""
        self.models = ModelChecks(session, shipped, self)
        self.attacks = AttackRows(attacks, self)
        self.data = DataChooser(session.data_sources, self, count=_COUNT, drawn=_COUNT, count_tip="How many images are attacked")
        self.draw = _spin("Which of the images", -1, -1, _DRAW_TIP)
        self.draw.setSpecialValueText("spread evenly")
        self.further = ElidedLabel("", self)
        self.leave_out = QPushButton("Leave out", self)
        self.places = PlaceChecks(self)
        self.title = QLineEdit(self)
        self.seed = _spin("Seed of the first image", 0, 0, _SEED_TIP)
        self.together = _spin("Images attacked together", 1, 32, _TOGETHER_TIP)
        self.open_button = QPushButton(theme.icon("mdi6.folder-open-outline"), "Open…", self)
        self.save_button = QPushButton(theme.icon("mdi6.content-save-outline"), "Save…", self)
        self._lay_out()
        self._connect()
        self._use_first()

    def _lay_out(self) -> None:
        self.leave_out.setToolTip("Measure on the data set above alone")
        self.title.setPlaceholderText("table")
        self.title.setAccessibleName("Name of the table")
        self.title.setToolTip("The name of the table. Finished cells are kept under it, so that the table can be resumed at any time.")
        self.open_button.setToolTip("Open the specification of a table (TOML), as “evaluate table” of the command line takes it")
        self.save_button.setToolTip("Save this table as a specification (TOML): “evaluate table FILE” computes it on a cluster")
        files, further, whole = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        files.addWidget(self.open_button, 1)
        files.addWidget(self.save_button, 1)
        further.addWidget(self.further, 1)
        further.addWidget(self.leave_out)
        self.data.rows.addRow("which", self.draw)
        more = QFormLayout()
        more.setVerticalSpacing(4)
        for caption, widget in (("name", self.title), ("first seed", self.seed), ("together", self.together)):
            more.addRow(caption, widget)
        self.sections = {title: Section(title, self, tip=tip) for title, tip in _SECTIONS.items()}
        self.sections["Models"].add(self.models)
        self.sections["Attacks"].add(self.attacks)
        self.sections["Images"].add(self.data)
        self.sections["Images"].layout_.addLayout(further)
        self.sections["Attacked on"].add(self.places)
        self.sections["Name and seeds"].layout_.addLayout(more)
        self.sections["Name and seeds"].button.setChecked(False)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        for section in self.sections.values():
            whole.addWidget(section)
        whole.addLayout(files)
        self._show_further()

    def _connect(self) -> None:
        self.models.changed.connect(self._on_models)
        for signal in (self.attacks.changed, self.data.changed, self.places.changed, self.title.textEdited):
            signal.connect(self.changed)
        for spin in (self.draw, self.seed, self.together):
            spin.valueChanged.connect(self.changed)
        self.leave_out.clicked.connect(self._on_leave_out)
        self.open_button.clicked.connect(self.opened)
        self.save_button.clicked.connect(self.saved)

    def _use_first(self) -> None:
        """Begin with a table that is worth computing: the present model under one step and under many."""
        here = self._session.classifier
        if here is not None:
            from gui.session.swap_model import sample_kind

            self.models.tick_only(here)
            self.data.suggest(sample_kind(here))
        colours = here is not None and here.input_shape[0] == 3
        self.attacks.set_entries(usual("Colour images at 2, 4 and 8/255" if colours else "One step, many steps"))
        self._on_models()

    # ------------------------------------------------------------------ the specification

    @property
    def missing(self) -> str:
        """The reason why there is no table to compute yet; empty if there is one."""
        from engine.errors import GibbonError

        if not self.models.models:
            return "Tick a model."
        if not self.attacks.entries:
            return "Add an attack."
        if self.data.choice is None:
            return "Choose a data set."
        if not self.places.ticked:
            return "Tick where the images are made."
        try:
            self.spec()
        except GibbonError as error:
            return str(error)
        return ""

    def spec(self) -> TableSpec:
        """Return the specification.

        Raises
        ------
        GibbonError
            The parts do not fit together.
        """
        from engine.evaluate.tables import TableSpec

        kept = {} if self._megabytes is None else {"keep_megabytes": self._megabytes}
        return TableSpec(
            title=self.title.text().strip() or "table",
            models=[model.entry for model in self.models.models],
            attacks=self.attacks.entries,
            data=[self._data(), *self.more_data],
            crafted_on=self.places.ticked,
            seed=self.seed.value(),
            together=self.together.value(),
            **kept,
        )

    def _data(self) -> dict[str, object]:
        choice = self.data.choice
        assert choice is not None
        name = f"{choice.name}:{choice.split}" if choice.split else choice.name
        return {"name": name, "count": choice.count, "seed": None if self.draw.value() < 0 else self.draw.value()}

    def show_spec(self, spec: TableSpec) -> None:
        """Show a specification."""
        with QSignalBlocker(self):
            models = [ModelRow(entry) for entry in spec.models]
            self.models.set_models(models)
            self.attacks.set_entries(spec.attacks)
            self._show_data(spec.data)
            self.places.set_places(spec.places, self.models.models)
            self.title.setText(spec.title)
            self.seed.setValue(spec.seed)
            self.together.setValue(spec.together)
            self._megabytes = spec.keep_megabytes
        self.changed.emit()

    def _show_data(self, data: Sequence[TableData]) -> None:
        from pathlib import Path

        from engine.data import parse_name

        first, self.more_data = data[0], tuple(data[1:])
        name, split = parse_name(first.name)
        kind, _, rest = name.partition(":")
        if kind == "folder" and self.data.sets.findData(name) < 0:
            self.data.add_folder(Path(rest).expanduser())
        if self.data.sets.findData(name) < 0:
            sentence = f"The data set “{first.name}” is not on this machine. Choose another, or look for it elsewhere."
            self._session.log("warning", sentence)
            self._session.notice.emit(sentence)
        else:
            self.data.set_choice(Choice(name, split or "", first.count or self.data.count.maximum()))
        self.draw.setValue(-1 if first.seed is None else first.seed)
        self._show_further()

    def _show_further(self) -> None:
        self.further.setVisible(bool(self.more_data))
        self.leave_out.setVisible(bool(self.more_data))
        self.further.setText("and " + ", ".join(data.name for data in self.more_data))

    @Slot()
    def _on_leave_out(self) -> None:
        self.more_data = ()
        self._show_further()
        self.changed.emit()

    @Slot()
    def _on_models(self) -> None:
        self.places.set_models(self.models.models)
        self.changed.emit()


_SECTIONS = {
    "Models": "The rows of the table",
    "Attacks": "The columns of the table: each attack at each eps",
    "Images": "The images that are attacked, the same for every model",
    "Attacked on": "Where the adversarial images are made: on the model itself, on it without its defense, or on another model",
    "Name and seeds": "The name under which finished cells are kept, and what chance depends on",
}


def _spin(name: str, low: int, value: int, tip: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, 100_000 if low == 1 else 2**31 - 1)
    spin.setValue(value)
    spin.setMinimumSize(64, spin.fontMetrics().height() + GRID)
    spin.setAccessibleName(name)
    spin.setToolTip(tip)
    return spin
