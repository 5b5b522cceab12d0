"""The frame of a chooser's popup: a list or a form above a row of buttons that lead elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import theme


@dataclass(frozen=True)
class Way:
    """A button that leads from a popup to something else, and closes the popup."""

    text: str
    tip: str
    icon: str
    go: Callable[[], object]


class Content(QWidget):
    """A widget above buttons. ``close`` is called before a button does its work."""

    def __init__(self, main: QWidget, ways: Sequence[Way], close: Callable[[], object]) -> None:
        super().__init__()
        self.main = main
        self.buttons: dict[str, QPushButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(main, 1)
        row = QHBoxLayout()
        row.setSpacing(4)
        for way in ways:
            button = self.buttons[way.text] = QPushButton(theme.icon(way.icon), way.text, self)
            button.setToolTip(way.tip)
            button.clicked.connect(lambda _checked=False, way=way: (close(), way.go()))
            row.addWidget(button)
        row.addStretch(1)
        layout.addLayout(row)
