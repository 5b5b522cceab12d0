"""ComparedBar: which of the compared runs a panel shows, and a button for each to show that one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from gui import theme
from gui.theme import GRID
from gui.widgets.elided import ElidedLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gui.session.comparison import Comparison
    from gui.session.history import AttackRun

_MOST = 6
"""Buttons at the most, so that a narrow panel has room for them and for the words."""


class ComparedBar(QWidget):
    """Follows a comparison, and is hidden while the canvas shows none. The button of the run that the panel shows has that run's colour."""

    chosen = Signal(int)
    """The number of the run that the user wants to see."""

    def __init__(self, comparison: Comparison, parent: QWidget | None = None, *, words: bool = True) -> None:
        """Without ``words`` the bar is one letter, which opens nothing: for a place that has no room."""
        super().__init__(parent)
        self._comparison = comparison
        self._words = words
        self.buttons: list[QToolButton] = []
        self.label = ElidedLabel()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(*((GRID, 4, GRID, 2) if words else (0, 0, 0, 0)))
        self._row.setSpacing(4)
        if words:
            self._row.addWidget(self.label, 1)
        comparison.changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show what the comparison is now."""
        comparison = self._comparison
        shown, runs = comparison.shown, comparison.runs
        self.setVisible(comparison.on_canvas)
        if not comparison.on_canvas:
            return
        listed: Sequence[AttackRun] = runs[:_MOST] if self._words else tuple(run for run in runs if run is shown)
        while len(self.buttons) < len(listed):
            self._add_button()
        for place, button in enumerate(self.buttons):
            button.setVisible(place < len(listed))
            if place < len(listed):
                self._show_run(button, listed[place], listed[place] is shown)
        self.label.setText(comparison.subject)
        self.label.setAccessibleName(f"This panel shows {comparison.subject}")
        self.setToolTip(f"Shown here: {comparison.subject}.")

    def _add_button(self) -> None:
        button = QToolButton(self)
        button.setFixedSize(QSize(3 * GRID, 3 * GRID))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus if self._words else Qt.FocusPolicy.NoFocus)
        button.clicked.connect(partial(self._on_clicked, len(self.buttons)))
        self.buttons.append(button)
        self._row.insertWidget(len(self.buttons) - 1, button)

    def _show_run(self, button: QToolButton, run: AttackRun, shown: bool) -> None:
        letter = self._comparison.letter_of(run)
        colour = theme.compared_colour(self._comparison.runs.index(run))
        button.setText(letter)
        button.setAccessibleName(f"{letter}, shown here" if shown else f"Show {letter} here")
        button.setToolTip(f"{letter} is shown here: {run.title}" if shown else f"Show {letter}, {run.title}, in the panels at the right")
        edge = f"border: 2px solid {colour.name()}; border-radius: 3px; font-weight: bold; padding: 0px;"
        full = f"background: {colour.name()}; color: {theme.ink_on(colour).name()};"
        button.setStyleSheet(f"QToolButton {{ {edge} {full if shown else 'background: transparent;'} }}")

    def _on_clicked(self, place: int) -> None:
        """Ask for a run. The bar of one letter asks for nothing, since its run is shown."""
        runs = self._comparison.runs
        if self._words and place < len(runs) and runs[place] is not self._comparison.shown:
            self.chosen.emit(runs[place].number)
