"""What the attack is after, and what it works with: label, target, region, data, start image, seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFormLayout, QHBoxLayout, QLabel, QRadioButton, QSpinBox, QWidget

from gui.panels.attack.start_image import StartImage
from gui.widgets import DataChooser, LabelCombo

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.session import Session

UNTARGETED = "any other class (untargeted)"
_CHOOSE = "choose a class"
_FORCED = "A sticker attack paints the stickers whose content is to be optimised, nothing else."
_NEEDS_STICKER = "Draw a sticker and set its content to “optimised” first."


class Goal(QWidget):
    """Reads and writes the session; shows what an attack uses, nothing else."""

    changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.label = LabelCombo(
            "unknown: take the prediction", self, name="True label", tip="The class that the image truly shows. Attacks lead away from it."
        )
        self.target = LabelCombo(UNTARGETED, self, name="Target class", tip="The class that the attack is to reach.")
        self.whole = QRadioButton("whole image", self)
        self.stickers = QRadioButton("stickers", self)
        self.seed = QSpinBox(self)
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setMinimumWidth(64)  # its hint is that of the largest seed, which nobody types
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Of everything random in the attack: the same seed gives the same image again.")
        self.live = QCheckBox("live preview", self)
        self.live.setChecked(session.plan.live)
        self.live.setToolTip("Show the image while the attack runs. Without it the attack is faster.")
        self.data = DataChooser(session.data_sources, self, count=1500, count_tip="How many of its images the attack gets")
        self.data.setToolTip("The images that the attack works on, beside the one on the canvas")
        self.start = StartImage(session, self)
        self._regions = QButtonGroup(self)
        for button in (self.whole, self.stickers):
            self._regions.addButton(button)
        self.whole.setChecked(True)
        self._lay_out()
        self.label.chosen.connect(self._on_label)
        self.target.chosen.connect(self._on_target)
        for combo in (self.label, self.target):
            combo.mistyped.connect(self.changed)
        self.whole.clicked.connect(self._on_region)
        self.stickers.clicked.connect(self._on_region)
        self.live.toggled.connect(self._on_live)
        self.data.changed.connect(self.changed)
        self.start.changed.connect(self.changed)

    def _lay_out(self) -> None:
        layout = self._rows = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(4)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._region = QWidget(self)
        region = QHBoxLayout(self._region)
        region.setContentsMargins(0, 0, 0, 0)
        region.addWidget(self.whole)
        region.addWidget(self.stickers)
        region.addStretch(1)
        last = QHBoxLayout()
        last.addWidget(self.seed, 1)
        last.addSpacing(8)
        last.addWidget(self.live)
        layout.addRow(_caption("true label", self.label), self.label)
        layout.addRow(_caption("target", self.target), self.target)
        layout.addRow("region", self._region)
        layout.addRow(self.data)
        layout.addRow(_caption("start", self.start.open_button), self.start)
        layout.addRow(_caption("seed", self.seed), last)

    # ------------------------------------------------------------------ to the screen

    def set_labels(self) -> None:
        """The classes of the session's classifier."""
        labels = () if self._session.classifier is None else self._session.classifier.labels
        self.label.set_labels(labels)
        self.target.set_labels(labels)
        self.refresh()

    def refresh(self) -> None:
        """Label and target as the session has them."""
        session = self._session
        self.label.set_value(session.label)
        self.target.set_value(session.target)
        if session.frame is not None and session.classifier is not None and session.label is None:
            self.label.set_none_text(f"prediction ({session.classifier.labels[session.frame.observation.clean_prediction]})")

    def show_uses(self, attack: type[Attack]) -> None:
        """Only what this attack asks for."""
        rows = (
            (self.label, "labels" in attack.uses),
            (self.target, "targets" in attack.uses),
            (self._region, attack.masked or "stickers" in attack.uses),
            (self.data, "data" in attack.uses),
            (self.start, takes_start(attack)),
        )
        for widget, used in rows:
            self._rows.setRowVisible(widget, used)
        self.target.set_none_text(_CHOOSE if "targets" in attack.needs else UNTARGETED)

    def show_region(self, forced: bool, possible: bool, maskable: bool) -> None:
        """``forced``: the attack paints stickers; ``possible``: there is one to paint; ``maskable``: the attack honours a mask."""
        stickers = forced or (self._session.region == "stickers" and maskable)
        (self.stickers if stickers else self.whole).setChecked(True)
        self.whole.setEnabled(not forced)
        self.stickers.setEnabled(possible and maskable and not forced)
        self.whole.setToolTip(_FORCED if forced else "Every pixel may change.")
        why = "" if possible else f" {_NEEDS_STICKER}"
        self.stickers.setToolTip(_FORCED if forced else f"Only pixels under the stickers to be optimised may change.{why}")

    # ------------------------------------------------------------------ from a person

    @Slot(object)
    def _on_label(self, label: int | None) -> None:
        self._session.set_label(label)

    @Slot(object)
    def _on_target(self, target: int | None) -> None:
        self._session.set_target(target)

    @Slot()
    def _on_region(self) -> None:
        stickers = self.stickers.isChecked()
        self._session.change("Attack the stickers" if stickers else "Attack the whole image", region="stickers" if stickers else "image")
        self.changed.emit()

    @Slot(bool)
    def _on_live(self, live: bool) -> None:
        self._session.change(live=live)


def takes_start(attack: type[Attack]) -> bool:
    """Whether a person may give it an image to begin at; a sticker attack begins at what is painted."""
    return "start" in attack.uses and "stickers" not in attack.uses


def _caption(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    label.setToolTip(buddy.toolTip())
    return label
