"""RunsPanel: the finished runs as cards, with the details of the selected one or the comparison of several."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from gui.panels.runs.cards import RunCards
from gui.panels.runs.details import RunDetails
from gui.panels.runs.run_commands import COMMANDS, Command
from gui.panels.runs.run_json import runs_as_json
from gui.session.history import FinishedRun
from gui.session.run_actions import compare, use_parameters
from gui.session.run_facts import RunFacts, run_facts
from gui.session.session import Session
from gui.theme import GRID, icon
from gui.widgets import EmptyState

_WIDE = 64 * GRID
"""The width at which details stand beside the cards."""
_TALL = 44 * GRID
"""The height at which details have room below the cards. In a smaller dock a card's tool tip holds them."""
_ROOMY = 74 * GRID
"""The width at which the buttons have titles."""


class RunsPanel(QWidget):
    """The Runs dock. Commands that need files or dialogs are passed on by `asked`."""

    asked = Signal(str, object)
    """A command that the shell carries out, and the numbers of the runs that it is for; see `gui.shell.actions.runs`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._facts: dict[int, RunFacts] = {}
        self.cards, self.details = RunCards(), RunDetails()
        self.buttons: dict[Command, QToolButton] = {}
        self._build()
        session.history.changed.connect(self.refresh)
        session.trust.changed.connect(self._on_lights)

    def _build(self) -> None:
        self.cards.setMinimumHeight(5 * GRID)
        self.cards.picked.connect(self._on_picked)
        self.cards.showAsked.connect(partial(self.carry_out, "show"))
        self.cards.removeAsked.connect(partial(self.carry_out, "remove"))
        self.cards.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.cards.customContextMenuRequested.connect(self._on_menu)
        first = QWidget()
        layout = QVBoxLayout(first)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._tools())
        layout.addWidget(self.cards, 1)
        split = self._split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(first)
        split.addWidget(self.details)
        split.setChildrenCollapsible(False)
        self._pages = QStackedLayout(self)
        empty = "No run has finished yet. Each one is kept here, with its picture and its parameters: press Run (F5)."
        nothing = EmptyState(empty, "mdi6.history")
        nothing.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        nothing.customContextMenuRequested.connect(self._on_menu)
        self._pages.addWidget(nothing)
        self._pages.addWidget(split)

    def _tools(self) -> QWidget:
        tools = QWidget()
        tools.setMinimumWidth(20 * GRID)  # with titles the row is wide, but it must not keep the dock from being made narrow
        row = QHBoxLayout(tools)
        tools.installEventFilter(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(2)
        for command in (command for command in COMMANDS if command.button):
            button = QToolButton()
            button.setText(command.title)
            button.setAccessibleName(command.title)
            button.setIcon(icon(command.icon))
            button.setAutoRaise(True)
            button.clicked.connect(partial(self.carry_out, command.name))
            self.buttons[command.name] = button
            row.addWidget(button)
        row.addStretch(1)
        return tools

    # ------------------------------------------------------------------ contents

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange cards and details side by side if the dock is wide, else one below the other; a small dock has cards alone."""
        wide = self.width() > 1.2 * self.height() and self.width() >= _WIDE
        self.details.setVisible(wide or self.height() >= _TALL)
        orientation = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self._split.orientation() != orientation:
            self._split.setOrientation(orientation)
            total = self.width() if wide else self.height()
            self._split.setSizes([total // 2, total // 2])
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        """Return a width that does not depend on the arrangement: a dock that comes from the wide drawer can be as narrow as any other."""
        return QSize(self.details.minimumWidth(), super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the buttons' titles where they have room."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if watched.width() >= _ROOMY else Qt.ToolButtonStyle.ToolButtonIconOnly
            for button in self.buttons.values():
                button.setToolButtonStyle(style)
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the history's runs, if the dock is visible."""
        if not self.isVisible():
            return
        entries, shown = self.session.history.entries, self.session.history.shown
        self._facts = {entry.number: self._facts.get(entry.number) or run_facts(entry) for entry in entries}
        self._pages.setCurrentIndex(1 if entries else 0)
        trust = self.session.trust
        facts = [replace(self._facts[entry.number], warnings=trust.warnings(entry)) for entry in reversed(entries)]
        self.cards.set_runs(facts, None if shown is None else shown.number)

    @Slot()
    def _on_lights(self) -> None:
        """Show the cards again where a light was measured that stands on one of them."""
        shown = {run.number: run.warnings for run in self.cards.runs.runs}
        if any(shown.get(entry.number, ()) != self.session.trust.warnings(entry) for entry in self.session.history.entries):
            self.refresh()

    @property
    def selected(self) -> list[FinishedRun]:
        """The selected runs, the older first."""
        runs = (self.session.history.find(run.number) for run in self.cards.selected)
        return [run for run in runs if run is not None]

    @Slot()
    def _on_picked(self) -> None:
        runs = self.selected
        for command in COMMANDS:
            if command.button:
                obstacle = command.obstacle(runs)
                self.buttons[command.name].setEnabled(not obstacle)
                self.buttons[command.name].setToolTip(f"{command.tip}." if not obstacle else f"{command.title}: {obstacle}")
        self.details.show_runs(self.cards.selected)

    # ------------------------------------------------------------------ from the user

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup((self.cards.viewport() if self.cards.isVisible() else self).mapToGlobal(at))

    def menu(self) -> QMenu:
        """Return the context menu of the selected runs. A command that cannot be carried out says why in its tool tip."""
        menu, runs = QMenu(self.cards), self.selected
        menu.setToolTipsVisible(True)
        for command in COMMANDS:
            if command.rule:
                menu.addSeparator()
            action = QAction(icon(command.icon), command.title, menu)
            obstacle = command.obstacle(runs)
            action.setEnabled(not obstacle)
            action.setToolTip(obstacle or f"{command.tip}.")
            action.triggered.connect(partial(self.carry_out, command.name))
            menu.addAction(action)
        back = QAction(icon("mdi6.delete-restore"), "Bring back removed runs", menu)
        back.setEnabled(bool(self.session.history.removed))
        back.setToolTip("Every run that was removed and is still in memory comes back." if back.isEnabled() else "No run was removed.")
        back.triggered.connect(self.session.restore_runs)
        menu.addAction(back)
        return menu

    def carry_out(self, name: Command, *_: object) -> None:
        """Carry out a command on the selected runs; nothing happens if there is an obstacle."""
        runs = self.selected
        command = next(command for command in COMMANDS if command.name == name)
        if command.obstacle(runs):
            return
        numbers = tuple(run.number for run in runs)
        if name == "show":
            self.session.show_entry(numbers[0])
        elif name == "use":
            use_parameters(self.session, numbers[0])
        elif name == "remove":
            self.session.remove_runs(*numbers)
        elif name == "copy_json":
            QGuiApplication.clipboard().setText(runs_as_json(runs))
            self.session.notice.emit("The runs are on the clipboard as JSON." if len(runs) > 1 else f"{runs[0].title} is on the clipboard.")
        else:
            if name == "compare":
                compare(self.session, numbers)
            self.asked.emit(name, numbers)
