"""CurveSetup: the models, the attack and the images of robustness curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from gui import theme
from gui.choosers.attack_dialog import AttackDialog
from gui.choosers.attack_rows import words
from gui.choosers.model_checks import ModelChecks
from gui.panels.robustness.work import CurveRequest, Parts
from gui.session.swap_model import sample_kind
from gui.widgets.data_chooser import DataChooser
from gui.widgets.section import Section
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.evaluate.tables import TableAttack
    from gui.session.session import Session

_COUNT = 100
_HALVINGS_TIP = (
    "How finely each image's smallest eps is found: 7 halvings tell values apart that differ by a 128th of its eps. Each costs one "
    "more attack on the images that can be fooled. An attack that minimises the norm needs none."
)


class CurveSetup(QWidget):
    """The choices of the dock. Build it when the engine is loaded."""

    changed = Signal()

    def __init__(self, session: Session, parts: Parts, parent: QWidget | None = None) -> None:
        from engine.evaluate.tables import TableAttack

        super().__init__(parent)
        self._attacks = parts.attacks
        here = session.classifier
        grey = here is not None and here.input_shape[0] == 1
        self.attack = TableAttack(attack="pgd", parameters={"eps": "0.3" if grey else "16/255", "steps": 20})
        self.dialog: AttackDialog | None = None
        """The dialog, once it was opened."""
        self.models = ModelChecks(session, parts.shipped, self)
        self.attack_words = Sentence(3, snug=True, parent=self)
        self.attack_button = QPushButton(theme.icon("mdi6.bullseye-arrow"), "Choose the attack…", self)
        self.attack_button.setToolTip("Choose an attack and its parameters; its eps is the largest that is searched")
        self.data = DataChooser(session.data_sources, self, count=_COUNT, drawn=_COUNT, count_tip="How many images are attacked")
        self.halvings, self.seed = QSpinBox(self), QSpinBox(self)
        self._lay_out()
        if here is not None:
            self.models.tick_only(here)
            self.data.suggest(sample_kind(here))
        self.models.changed.connect(self.changed)
        self.data.changed.connect(self.changed)
        self.attack_button.clicked.connect(self._on_attack)
        self._show_attack()

    def _lay_out(self) -> None:
        self.halvings.setRange(1, 20)
        self.halvings.setValue(7)
        self.seed.setRange(0, 2**31 - 1)
        for spin, name, tip in (
            (self.halvings, "Halvings", _HALVINGS_TIP),
            (self.seed, "Seed of the first image", "The first image is attacked with this seed, the second with the next, and so on"),
        ):
            spin.setAccessibleName(name)
            spin.setToolTip(tip)
            spin.setMinimumWidth(64)
        models, attack, images = (
            Section("Models", self, tip="Each gets a curve of its own"),
            Section("Attack", self, tip="The attack that searches each image's smallest perturbation"),
            Section("Images", self, tip="The images that are attacked, the same for every model"),
        )
        models.add(self.models)
        attack.add(self.attack_words)
        attack.add(self.attack_button)
        images.add(self.data)
        numbers, row = QFormLayout(), QHBoxLayout()
        row.addWidget(self.halvings, 1)
        numbers.addRow("halvings", row)
        numbers.addRow("first seed", self.seed)
        images.layout_.addLayout(numbers)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        for section in (models, attack, images):
            whole.addWidget(section)

    @property
    def missing(self) -> str:
        """The reason why there is nothing to compute yet; empty if there is something."""
        if not self.models.models:
            return "Tick a model."
        return "" if self.data.choice is not None else "Choose a data set."

    def request(self) -> CurveRequest:
        """Return what is to be computed.

        Raises
        ------
        GibbonError
            The attack cannot be searched.
        """
        from engine.evaluate.curves import RobustnessCurve

        assert self.data.choice is not None
        operation = RobustnessCurve.of(self.attack.variants()[0].attack, halvings=self.halvings.value())
        return CurveRequest(operation, self.models.models, self.data.choice, self.seed.value())

    @Slot()
    def _on_attack(self) -> None:
        if self.dialog is None:
            self.dialog = AttackDialog(self._attacks, self, several=False)
            self.dialog.entered.connect(self.set_attack)
        self.dialog.open_with(self.attack)

    @Slot(object)
    def set_attack(self, entry: TableAttack) -> None:
        """Take another attack."""
        self.attack = entry
        self._show_attack()
        self.changed.emit()

    def _show_attack(self) -> None:
        self.attack_words.set_text(words(self.attack))
        self.halvings.setEnabled(self.attack.variants()[0].attack.keeps != "norm")
