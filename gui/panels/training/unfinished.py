"""UnfinishedTrainings: the trainings that were cancelled or interrupted, each with the buttons to resume and to discard it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.section import Section
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from gui.session.training.folders import Unfinished
    from gui.session.training.trainer import Trainer

MOST = 3
"""Trainings that are listed: older ones come up when these are gone."""


class UnfinishedRow(QWidget):
    """One training that can be resumed."""

    def __init__(self, which: Unfinished, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.which = which
        self.words = Sentence(2, snug=True, parent=self)
        self.words.set_text(which.words)
        self.words.setToolTip(f"{which.words}, {which.when}")
        self.resume = QPushButton(theme.icon("mdi6.play"), "Resume", self)
        self.resume.setToolTip("Continue where it stopped: it ends with the same weights as without the interruption")
        self.discard = QToolButton(self)
        self.discard.setIcon(theme.icon("mdi6.delete-outline"))
        self.discard.setAutoRaise(True)
        self.discard.setToolTip("Remove it from the disk, with its checkpoint")
        self.discard.setAccessibleName(f"Discard {which.name}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.words, 1)
        row.addWidget(self.resume)
        row.addWidget(self.discard)


class UnfinishedTrainings(Section):
    """The list. It is hidden while there is none."""

    def __init__(self, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__("Unfinished", parent, tip="Trainings that were cancelled or interrupted")
        self._trainer = trainer
        self.rows: tuple[UnfinishedRow, ...] = ()
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self.layout_.addLayout(self._list)
        trainer.unfinishedChanged.connect(self._fill)
        trainer.changed.connect(self._allow)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = tuple(self._row(which) for which in self._trainer.unfinished[:MOST])
        for row in self.rows:
            self._list.addWidget(row)
        count = len(self._trainer.unfinished)
        self.set_title("Unfinished" if count <= MOST else f"Unfinished ({count})")
        self.setVisible(bool(self.rows))
        self._allow()

    def _row(self, which: Unfinished) -> UnfinishedRow:
        row = UnfinishedRow(which, self)
        row.resume.clicked.connect(lambda: self._trainer.resume(which))
        row.discard.clicked.connect(lambda: self._ask(which))
        return row

    @Slot()
    def _allow(self) -> None:
        for row in self.rows:
            row.resume.setEnabled(self._trainer.job is None)

    def _ask(self, which: Unfinished) -> None:
        """Discard a training, after asking once: its files are gone then."""
        box = QMessageBox(
            QMessageBox.Icon.Question, "Discard the training", f"Discard {which.words}? Its checkpoint is removed.", parent=self
        )
        discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is discard:
            self._trainer.discard(which)
