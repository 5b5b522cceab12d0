"""TrainingChoice: chooses among the trainings that have ended; its first entry stands for none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.session.training.run import name_of, recipe_words
from gui.widgets.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from gui.session.history import FinishedRun


_LEAST = 36


class TrainingChoice(ElidedCombo):
    """A combo box of trainings, the newest first."""

    picked = Signal(object)
    """The user has chosen a training: its run, or None for the first entry."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[FinishedRun | None, ...] = ()
        self._texts: tuple[str, ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(_LEAST)
        self.activated.connect(self._on_activated)

    def show_runs(self, runs: Sequence[FinishedRun], chosen: FinishedRun | None, none: str) -> None:
        """List trainings. ``none`` is the text of the entry for none of them; empty: there is no such entry."""
        listed: list[FinishedRun | None] = [None] if none else []
        listed += reversed(runs)
        texts = tuple(none if run is None else f"#{run.number} {name_of(run)} · {recipe_words(run)}" for run in listed)
        with QSignalBlocker(self):
            if texts != self._texts:
                self.clear()
                self.addItems(texts)
                for place, run in enumerate(listed):
                    self.setItemData(place, "" if run is None else run.verdict, Qt.ItemDataRole.ToolTipRole)
            self._runs, self._texts = tuple(listed), texts
            self.setCurrentIndex(listed.index(chosen) if chosen in listed else -1)

    @Slot(int)
    def _on_activated(self, place: int) -> None:
        self.picked.emit(self._runs[place])
