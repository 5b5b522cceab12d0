"""GoalForm: the true label and the target of an attack, the only place in the window where they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from gui.theme import GRID
from gui.widgets import ElidedLabel, LabelCombo, Message

if TYPE_CHECKING:
    from engine import Attack
    from gui.session.state import State

UNTARGETED = "any other class (untargeted)"
_CHOOSE = "choose a class"
_UNKNOWN = "unknown: take the prediction"
_WIDE = 44 * GRID


class GoalForm(QWidget):
    """A view of label and target; it emits the user's choices."""

    labelChosen = Signal(object)
    targetChosen = Signal(object)
    """The user has chosen a target: the class's number, or None."""
    labelMistyped = Signal(str)
    targetMistyped = Signal(str)
    """The user has typed a target that names no class; empty when that is corrected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = LabelCombo(
            _UNKNOWN, self, name="True label", tip="The class that the image truly shows. Attacks lead away from it. Type to search."
        )
        self.target = LabelCombo(UNTARGETED, self, name="Target class", tip="The class that the attack is to reach. Type to search.")
        self.assumed = ElidedLabel("The true label is not known: the prediction is assumed.", self)
        self.assumed.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.assumed.set_tip("Attacks take the model's prediction for the true label. Results, records and figures then say “assumed”.")
        self.message = Message(self)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(GRID)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow(_caption("true label", self.label), self.label)
        rows.addRow(self.assumed)
        rows.addRow(_caption("target", self.target), self.target)
        rows.addRow(self.message)
        self.setMinimumWidth(_WIDE)
        self.label.chosen.connect(self.labelChosen)
        self.target.chosen.connect(self.targetChosen)
        self.label.mistyped.connect(self.labelMistyped)
        self.target.mistyped.connect(self.targetMistyped)
        self.setTabOrder(self.label, self.target)

    def set_labels(self, labels: tuple[str, ...]) -> None:
        """Set the labels to choose from."""
        self.label.set_labels(labels)
        self.target.set_labels(labels)

    def show_state(self, state: State, attack: type[Attack] | None, obstacle: str = "") -> None:
        """Show the label and the target of a state, and which of them the planned attack uses."""
        self.label.set_value(state.label)
        self.target.set_value(state.target)
        assumed = state.prediction is not None and state.label is None
        self.label.set_none_text(f"prediction ({state.name_of(state.prediction)})" if state.prediction is not None else _UNKNOWN)
        self.assumed.setVisible(assumed)
        needs = attack is not None and "targets" in attack.needs
        self.target.set_none_text(_CHOOSE if needs else UNTARGETED)
        takes = attack is None or "targets" in attack.uses
        self.target.setEnabled(takes)
        if not takes and attack is not None:
            self.message.say(f"{attack.title} takes no target.", "hint")
        else:
            self.message.say(obstacle)

    @Slot()
    def start(self) -> None:
        """Give the keyboard to the true label, with its text selected so that typing searches."""
        self.focus(self.label)

    def focus(self, combo: LabelCombo) -> None:
        """Give the keyboard to one of the two, with its text selected."""
        combo.setFocus()
        line = combo.lineEdit()
        if line is not None:
            line.selectAll()


def _caption(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    label.setToolTip(buddy.toolTip())
    return label
