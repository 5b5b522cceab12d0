"""The parts that the dialogs of figures and of animations share: the primary button, and the column of choices above the buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets import scrolling


def export_button(tip: str, do: Callable[[], object]) -> QPushButton:
    """Return the primary button of an export dialog."""
    button = theme.primary(QPushButton("Export…"), "mdi6.file-export-outline")
    button.setToolTip(tip)
    button.setDefault(True)
    button.clicked.connect(do)
    return button


def choices_column(choices: QWidget, *buttons: QPushButton) -> QVBoxLayout:
    """Return the choices, which scroll where there is no room for all, above a row of buttons, the last of which takes the free room."""
    row = QHBoxLayout()
    for button in buttons[:-1]:
        row.addWidget(button)
    row.addWidget(buttons[-1], 1)
    area = scrolling(choices)
    area.setMinimumWidth(choices.sizeHint().width() + 3 * theme.GRID)
    column = QVBoxLayout()
    column.addWidget(area, 1)
    column.addLayout(row)
    return column
