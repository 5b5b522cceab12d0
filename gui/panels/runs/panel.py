"""RunsPanel: the finished runs, with the details of the selected one or the differences of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QStackedLayout,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.text.formatting import counted
from gui.panels.runs.facts import RunFacts, differing_facts, run_facts
from gui.panels.runs.run_table import RunTable
from gui.session.session import Session
from gui.theme import GRID, icon, number_font
from gui.widgets import EmptyState
from gui.widgets.text import Sentence


class RunsPanel(QWidget):
    """The tab of finished runs: the table and the details."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._facts: dict[int, RunFacts] = {}
        self.table, self.details, self.summary = RunTable(), QTreeWidget(), Sentence(muted=True)
        self.buttons: dict[str, QToolButton] = {}
        self._build()
        session.history.changed.connect(self.refresh)

    def _build(self) -> None:
        self.details.setRootIsDecorated(False)
        self.details.setUniformRowHeights(True)
        self.details.setFont(number_font(self.details.font()))
        self.details.setAccessibleName("Parameters and outcome")
        self.details.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.picked.connect(self._on_picked)
        self.table.showAsked.connect(self.show_again)
        self.table.removeAsked.connect(self.remove)
        lower = QWidget()
        layout = QVBoxLayout(lower)
        layout.setContentsMargins(GRID, 0, GRID, GRID)
        layout.setSpacing(4)
        layout.addLayout(self._tools())
        layout.addWidget(self.summary)
        layout.addWidget(self.details, 1)
        split = self._split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(lower)
        split.setChildrenCollapsible(False)
        for part in (self.table, self.details):
            part.setMinimumHeight(5 * GRID)  # so that the dock fits below the canvas of a small screen
        self._pages = QStackedLayout(self)
        self._pages.addWidget(
            EmptyState("No run has finished yet. Press Run in the Attack dock; every finished run is kept here.", "mdi6.history")
        )
        self._pages.addWidget(split)

    def _tools(self) -> QHBoxLayout:
        tools: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            (
                "show",
                "Show again",
                "mdi6.eye-outline",
                "Put this run back on the canvas, with its model, image and stickers (Enter)",
                self.show_again,
            ),
            ("copy", "Copy", "mdi6.code-json", "Copy the selected runs, with every parameter, outcome and version, as JSON", self.copy),
            (
                "remove",
                "Remove",
                "mdi6.delete-outline",
                "Remove the selected runs; undo brings them back (Delete)",
                self.remove,
            ),
        )
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, text, picture, tip, action in tools:
            button = QToolButton()
            button.setText(text)
            button.setIcon(icon(picture))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setAutoRaise(True)
            button.setToolTip(f"{tip}.")
            button.clicked.connect(action)
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        return row

    # ------------------------------------------------------------------ contents

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange table and details side by side if the tab is wide, else one below the other."""
        wide = self.width() > 1.2 * self.height() and self.width() >= 64 * GRID
        orientation = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self._split.orientation() != orientation:
            self._split.setOrientation(orientation)
            total = self.width() if wide else self.height()
            self._split.setSizes([total * 3 // 5, total * 2 // 5] if wide else [total // 2, total // 2])
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the history's runs, if the tab is visible."""
        if not self.isVisible():
            return
        entries, shown = self.session.history.entries, self.session.history.shown
        self._facts = {entry.number: self._facts.get(entry.number) or run_facts(entry) for entry in entries}
        self._pages.setCurrentIndex(1 if entries else 0)
        self.table.set_runs([self._facts[entry.number] for entry in reversed(entries)], None if shown is None else shown.number)

    @Slot()
    def _on_picked(self) -> None:
        runs = self.table.selected
        self.buttons["show"].setEnabled(len(runs) == 1 and runs[0].can_be_shown)
        for name in ("copy", "remove"):
            self.buttons[name].setEnabled(bool(runs))
        self.details.clear()
        if len(runs) == 1:
            self._show_one(runs[0])
        elif len(runs) == 2:
            self._show_two(*runs)
        else:
            self._columns("")
            self.summary.set_text("Select one run to see its parameters, or two to compare them (Ctrl and a click).")

    def _show_one(self, run: RunFacts) -> None:
        self.summary.set_text(f"#{run.number} {run.attack}: {run.outcome.rstrip('.')}. Ctrl and a click on another run compares the two.")
        self._columns("", f"#{run.number}")
        for title, values in (("Parameters", run.parameters), ("Outcome", run.figures), ("Provenance", run.provenance)):
            head = QTreeWidgetItem(self.details, [title])
            font = self.details.font()
            font.setBold(True)
            head.setFont(0, font)
            for name, value in values.items():
                self._row(name, value)
        self._fit_names()

    def _show_two(self, one: RunFacts, other: RunFacts) -> None:
        rows = differing_facts(one, other)
        alike = "the two runs are alike in everything" if not rows else counted(len(rows), "difference")
        self.summary.set_text(f"#{one.number} against #{other.number}: {alike}.")
        self._columns("", f"#{one.number}", f"#{other.number}")
        for row in rows:
            self._row(*row)
        self._fit_names()

    def _columns(self, *titles: str) -> None:
        self.details.setColumnCount(len(titles))
        self.details.setHeaderLabels(titles)

    def _fit_names(self) -> None:
        """Give the names at most half of the room, so that a long one does not push the values out of sight; its tool tip is whole."""
        header = self.details.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, min(self.details.sizeHintForColumn(0), self.details.viewport().width() // 2))

    def _row(self, *texts: str) -> None:
        item = QTreeWidgetItem(self.details, list(texts))
        for column, text in enumerate(texts):
            item.setToolTip(column, text)

    # ------------------------------------------------------------------ from the user

    @Slot()
    def show_again(self) -> None:
        """Put the selected run on the canvas."""
        runs = self.table.selected
        if len(runs) == 1:
            self.session.show_entry(runs[0].number)

    @Slot()
    def remove(self) -> None:
        """Remove the selected runs from the history."""
        self.session.remove_runs(*(run.number for run in self.table.selected))

    @Slot()
    def copy(self) -> None:
        """Copy the selected runs to the clipboard as JSON."""
        QGuiApplication.clipboard().setText(runs_as_json(self.table.selected))


def runs_as_json(runs: Sequence[RunFacts]) -> str:
    """Return runs as JSON: one object, or a list of several."""
    return runs[0].json if len(runs) == 1 else "[\n" + ",\n".join(run.json for run in runs) + "\n]"
