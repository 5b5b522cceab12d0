"""Inputs: what an attack takes beside its parameters and its goal: region, data, start image and seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFormLayout, QHBoxLayout, QLabel, QRadioButton, QSpinBox, QWidget

from gui.panels.attack.start_field import StartField
from gui.session.readiness import takes_start
from gui.widgets import DataChooser

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.data_sources import DataSources
    from gui.session.state import State

_FORCED = "A sticker attack paints the stickers whose content is to be optimised, nothing else."
_NEEDS_STICKER = "Draw a sticker and set its content to “optimised” first."


class Inputs(QWidget):
    """A view of the inputs that the chosen attack uses; it emits the user's choices."""

    regionChosen = Signal(str)
    dataChanged = Signal(bool)
    """The choice of data has changed: whether the user changed it."""
    seedChosen = Signal(int)
    liveChosen = Signal(bool)

    def __init__(self, sources: DataSources, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.whole = QRadioButton("whole image", self)
        self.stickers = QRadioButton("stickers", self)
        self.seed = QSpinBox(self)
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setMinimumWidth(64)  # its size hint is for the largest seed, which is hardly ever used
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Of everything random in the attack: the same seed gives the same image again.")
        self.live = QCheckBox("live preview", self)
        self.live.setToolTip("Show the image while the attack runs. Without it the attack is faster.")
        self.data = DataChooser(sources, self, count=1500, count_tip="How many of its images the attack gets")
        self.data.setToolTip("The images that the attack works on, beside the one on the canvas")
        self.start = StartField(self)
        self._regions = QButtonGroup(self)
        for button in (self.whole, self.stickers):
            self._regions.addButton(button)
        self.whole.setChecked(True)
        self._lay_out()
        self._connect()

    def _connect(self) -> None:
        self.whole.clicked.connect(self._on_region)
        self.stickers.clicked.connect(self._on_region)
        self.seed.valueChanged.connect(self.seedChosen)
        self.live.toggled.connect(self.liveChosen)
        self.data.changed.connect(self._on_data)

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
        layout.addRow("region", self._region)
        layout.addRow(self.data)
        layout.addRow(_caption("start", self.start.open_button), self.start)
        layout.addRow(_caption("seed", self.seed), last)

    # ------------------------------------------------------------------ to the screen

    def show_state(self, state: State) -> None:
        """Show the plan of a state."""
        for widget in (self.seed, self.live):
            widget.blockSignals(True)
        self.seed.setValue(state.plan.seed)
        self.live.setChecked(state.plan.live)
        for widget in (self.seed, self.live):
            widget.blockSignals(False)
        if state.plan.data is not None and state.plan.data != self.data.choice:
            with QSignalBlocker(self.data):
                self.data.set_choice(state.plan.data)
        self.start.show_image(state.plan.start, state.labels)

    def show_uses(self, attack: type[Attack]) -> None:
        """Show only the inputs that an attack uses."""
        rows = (
            (self._region, attack.masked or "stickers" in attack.uses),
            (self.data, "data" in attack.uses),
            (self.start, takes_start(attack)),
        )
        for widget, used in rows:
            self._rows.setRowVisible(widget, used)

    def show_region(self, state: State, attack: type[Attack]) -> None:
        """Show the region that the attack may change, and the regions that can be chosen."""
        forced, possible, maskable = "stickers" in attack.uses, state.paintable, attack.masked
        stickers = forced or (state.region == "stickers" and maskable)
        (self.stickers if stickers else self.whole).setChecked(True)
        self.whole.setEnabled(not forced)
        self.stickers.setEnabled(possible and maskable and not forced)
        self.whole.setToolTip(_FORCED if forced else "Every pixel may change.")
        why = "" if possible else f" {_NEEDS_STICKER}"
        self.stickers.setToolTip(_FORCED if forced else f"Only pixels under the stickers to be optimised may change.{why}")

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _on_region(self) -> None:
        self.regionChosen.emit("stickers" if self.stickers.isChecked() else "image")

    @Slot()
    def _on_data(self) -> None:
        self.dataChanged.emit(self.data.by_hand)


def _caption(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    label.setToolTip(buddy.toolTip())
    return label
