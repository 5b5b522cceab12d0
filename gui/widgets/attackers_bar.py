"""AttackersBar: the number of the attacker who knows the defense beside that of the one who does not, each measured by one click."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from gui import theme
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from gui.session.attackers import Attacker, Attackers


class AttackersBar(QWidget):
    """Follows the attackers, and is hidden while no defense is on."""

    chosen = Signal(int)
    """The number of the run that the user wants to see."""

    def __init__(self, attackers: Attackers, parent: QWidget | None = None, *, compact: bool = False) -> None:
        """A ``compact`` bar is one row of two buttons, whose tool tips have the words, for a place that has little room."""
        super().__init__(parent)
        self._attackers, self._compact = attackers, compact
        self.title = Sentence(2, muted=True, snug=True)
        self.names: list[QLabel] = []
        self.outcomes: list[Sentence] = []
        self.buttons: list[QToolButton] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        if not compact:
            grid.addWidget(self.title, 0, 0, 1, 3)
            grid.setColumnStretch(1, 1)
        for place in range(2):
            name, outcome, button = QLabel(self), Sentence(2, snug=True, parent=self), QToolButton(self)
            button.clicked.connect(partial(self._on_clicked, place))
            self.names.append(name)
            self.outcomes.append(outcome)
            self.buttons.append(button)
            if compact:
                button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
                grid.addWidget(button, 0, place)
                grid.setColumnStretch(place, 1)
            else:
                for column, widget in enumerate((name, outcome, button)):
                    grid.addWidget(widget, place + 1, column)
        if compact:
            for words in (self.title, *self.names, *self.outcomes):
                words.hide()
        attackers.changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show what is known of both attackers now."""
        both = self._attackers.both
        self.setVisible(bool(both))
        self.title.set_text(self._attackers.title)
        for place, attacker in enumerate(both):
            self.names[place].setText(attacker.name)
            colour = {True: theme.ADVERSARIAL, False: theme.LABEL, None: None}[attacker.success]
            self.outcomes[place].set_text(attacker.words, colour)
            self._show_button(self.buttons[place], attacker)

    def _show_button(self, button: QToolButton, attacker: Attacker) -> None:
        attackers = self._attackers
        if attackers.measuring == attacker.knows:
            text, tip, enabled = "Cancel", "End this attack; its best image so far is kept", True
        elif attacker.run is not None:
            text, tip, enabled = f"#{attacker.run.number}", f"Show {attacker.run.title} on the canvas", True
        else:
            text, tip = "Measure", f"Run the planned attack by an attacker who {attacker.name}"
            enabled = attackers.measuring is None and not attackers.obstacle
            tip = attackers.obstacle or tip
        if self._compact:
            button.setText(_short(attacker, text))
            tip = f"{attackers.title} {attacker.name}: {attacker.words}. {tip}."
        else:
            button.setText(text)
        button.setToolTip(tip)
        button.setEnabled(enabled)
        button.setAccessibleName(f"{text}, attacker who {attacker.name}")

    def _on_clicked(self, place: int) -> None:
        attackers, attacker = self._attackers, self._attackers.both[place]
        if attackers.measuring == attacker.knows:
            attackers.cancel()
        elif attacker.run is not None:
            self.chosen.emit(attacker.run.number)
        else:
            attackers.measure(attacker.knows)


def _short(attacker: Attacker, does: str) -> str:
    """Return what a button of the compact bar says: “unaware fails”, “aware: measure”."""
    who = "aware" if attacker.knows else "unaware"
    if attacker.run is None or does == "Cancel":
        return f"{who}: {does.lower()}"
    return f"{who} {attacker.words.partition(':')[0].partition(',')[0]}"
