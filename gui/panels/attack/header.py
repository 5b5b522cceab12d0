"""Header: the chosen attack's title with its presets and the reset of its parameters, always visible above the form."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from gui import theme
from gui.widgets import ElidedLabel
from gui.widgets.literal import literal


class Header(QWidget):
    """The title of the attack that the form below sets up. The spine's Attack chooses another one."""

    presetChosen = Signal(str)
    """The user has chosen a preset: its title."""
    resetWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel(parent=self)
        self.title.setAccessibleName("Attack that is set up")
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.title.set_tip("The attack that Run starts. Choose another one in the bar at the top (Ctrl+Shift+A).")
        self.presets = QToolButton(self)
        self.presets.setText("Presets")
        self.presets.setObjectName("attack.presets")
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.presets.setToolTip("Fill in published settings")
        self.presets.setMenu(QMenu(self.presets))
        self.reset = QToolButton(self)
        self.reset.setIcon(theme.icon("mdi6.restore"))
        self.reset.setAutoRaise(True)
        self.reset.setToolTip("Reset every parameter of this attack")
        self.reset.setAccessibleName("Reset parameters")
        self.reset.clicked.connect(self.resetWanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID, 4, theme.GRID, 4)
        row.setSpacing(4)
        row.addWidget(self.title, 1)
        row.addWidget(self.presets)
        row.addWidget(self.reset)

    def show_attack(self, title: str, presets: Sequence[str]) -> None:
        """Show the title of an attack, and list its presets."""
        self.title.setText(title)
        menu = self.presets.menu()
        menu.clear()
        for preset in presets:
            menu.addAction(literal(preset)).triggered.connect(lambda _checked=False, preset=preset: self.presetChosen.emit(preset))
        self.presets.setVisible(bool(presets))
