"""ComparisonPanel: the differences between the compared runs, in a table beside their pictures on the canvas."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QStackedLayout, QVBoxLayout, QWidget

from engine.text.formatting import counted
from gui.panels.comparison.table import DifferencesTable
from gui.session.run_differences import rows_of
from gui.session.run_facts import RunFacts, run_facts
from gui.session.session import Session
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.text import Sentence

_NOTHING = "The differences between runs appear here. Select two or more runs under Runs (Ctrl and a click), and press Compare there."


class ComparisonPanel(QWidget):
    """Follows the session's comparison. The facts of a run are computed once."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._facts: dict[int, RunFacts] = {}
        self.summary, self.table, self.alike = Sentence(), DifferencesTable(), QCheckBox()
        self.alike.setToolTip("List what the runs have in common below their differences")
        self.alike.toggled.connect(self.refresh)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(GRID, 4, GRID, 4)
        column.setSpacing(4)
        column.addWidget(self.summary)
        column.addWidget(self.table, 1)
        column.addWidget(self.alike)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(_NOTHING, "mdi6.compare"))
        self._pages.addWidget(content)
        session.comparison.changed.connect(self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the compared runs, if the panel is visible."""
        if not self.isVisible():
            return
        comparison = self.session.comparison
        self._pages.setCurrentIndex(1 if comparison.runs else 0)
        self._facts = {run.number: self._facts.get(run.number) or run_facts(run) for run in comparison.runs}
        if not comparison.runs:
            return
        differing, alike = rows_of(list(self._facts.values()))
        letters = [comparison.letter_of(run) for run in comparison.runs]
        names = f"{', '.join(letters[:-1])} and {letters[-1]}"
        self.summary.set_text(f"{names}: {counted(len(differing), 'difference') if differing else 'alike in everything'}.")
        self.alike.setText(f"Also the {counted(len(alike), 'fact')} that are alike" if len(alike) != 1 else "Also the fact that is alike")
        self.alike.setEnabled(bool(alike))
        heads = [(letter, facts.title) for letter, facts in zip(letters, self._facts.values(), strict=True)]
        self.table.show_rows(heads, [*differing, *(alike if self.alike.isChecked() else ())])
