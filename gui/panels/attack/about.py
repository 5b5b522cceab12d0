"""AttackDescription: the description of the chosen attack; folded it is two lines, unfolded it includes the paper."""

from __future__ import annotations

import html
import re

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.text import Sentence

_TALL = 900
"""The least height of a window in which the description is unfolded at first; lower ones need the space for the form."""


class AttackDescription(QWidget):
    """The description of an attack, at first unfolded if the window is high enough."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cited, self._shown = "", False
        self._brief = Sentence(2, parent=self)
        self._whole = QLabel(self)
        self._whole.setWordWrap(True)
        self._whole.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._paper = theme.rich(QLabel(self))
        self._paper.setWordWrap(True)
        self._paper.setOpenExternalLinks(True)
        self._unfold = QToolButton(self)
        self._unfold.setCheckable(True)
        self._unfold.setAutoRaise(True)
        self._unfold.setToolTip("The whole description, and the paper")
        self._unfold.setAccessibleName("Description and paper")
        self._unfold.toggled.connect(self._fold)
        texts = QVBoxLayout()
        texts.setSpacing(4)
        for label in (self._brief, self._whole, self._paper):
            texts.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addLayout(texts, 1)
        row.addWidget(self._unfold, 0, Qt.AlignmentFlag.AlignTop)
        self._fold(False)

    def show_attack(self, text: str, paper: str) -> None:
        """Show the description and the paper of an attack."""
        self._brief.set_text(text)
        self._whole.setText(text)
        self._cited = paper
        self._link()

    def _link(self) -> None:
        colour = theme.muted_colour(self.palette()).name()
        linked = re.sub(r"arXiv (\d{4}\.\d{4,5})", r'<a href="https://arxiv.org/abs/\1">arXiv \1</a>', html.escape(self._cited))
        self._paper.setText(f'<span style="color:{colour}">{linked}</span>' if self._cited else "")
        self._fold(self._unfold.isChecked())

    @Slot(bool)
    def _fold(self, whole: bool) -> None:
        self._unfold.setIcon(theme.icon("mdi6.chevron-up" if whole else "mdi6.chevron-down"))
        self._brief.setVisible(not whole)
        self._whole.setVisible(whole)
        self._paper.setVisible(whole and bool(self._cited))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._shown:
            self._shown = True
            self._unfold.setChecked(self.window().height() >= _TALL)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._cited:
            self._link()
