"""The help page of keyboard and mouse, made from the same tables as the menus."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.canvas.keys import HELP, SHORTCUTS
from gui.shell.actions import MENUS
from gui.shell.docks import DOCKS


def keys_by_chapter() -> dict[str, list[tuple[str, str]]]:
    """Return pairs of keys and their meaning, by chapter of the page."""
    chapters: dict[str, list[tuple[str, str]]] = {}
    for menu, specs in MENUS.items():
        rows = [(_keys(spec.shortcuts), spec.title.rstrip("…")) for spec in specs if spec.shortcuts]
        if rows:
            chapters[menu] = rows
    chapters["Panels"] = [(_keys((dock.keys,)), dock.title) for dock in DOCKS if dock.keys]
    chapters["On the canvas"] = [
        (QKeySequence(s.key | s.modifiers).toString(_NATIVE).replace("Backtab", "Tab"), s.help) for s in SHORTCUTS if s.help
    ]
    chapters["Mouse and arrows"] = list(HELP)
    return chapters


_NATIVE = QKeySequence.SequenceFormat.NativeText


def _keys(shortcuts: tuple[str, ...]) -> str:
    return " or ".join(QKeySequence(keys).toString(_NATIVE) for keys in shortcuts)


class KeyboardHelp(QDialog):
    """The help page of keyboard and mouse: two columns of chapters, or one where the screen is too narrow for two."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._page = theme.rich(QLabel())
        self._page.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._page.setMargin(2 * theme.GRID)
        self._page.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        area = self._area = QScrollArea()
        area.setWidget(self._page)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(theme.icon("mdi6.close"))  # the style's own icon is dark on dark
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(buttons)
        room = self.screen().availableSize()
        self._fill(2)
        if self._width() > room.width():
            self._fill(1)
        self.resize(self._width(), min(self._page.sizeHint().height() + 9 * theme.GRID, 720, room.height() - 4 * theme.GRID))

    def _fill(self, columns: int) -> None:
        """Write the page. The area is as wide as that, so that it scrolls up and down only."""
        self._page.setText(_page(columns))
        self._area.setMinimumWidth(self._page.sizeHint().width() + self._area.verticalScrollBar().sizeHint().width())

    def _width(self) -> int:
        return self._area.minimumWidth() + 4 * theme.GRID


def _page(count: int) -> str:
    chapters = list(keys_by_chapter().items())
    sizes = [len(rows) + 2 for _, rows in chapters]
    half = sum(sizes) / 2
    columns: list[list[str]] = [[] for _ in range(count)]
    for place, (title, rows) in enumerate(chapters):
        columns[-1 if sum(sizes[:place]) >= half - 3 else 0].append(_chapter(title, rows))
    cells = "".join(f"<td style='padding-right: 32px' valign='top'>{''.join(column)}</td>" for column in columns)
    return f"<table><tr>{cells}</tr></table>"


def _chapter(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td style='padding: 2px 16px 2px 0; white-space: nowrap'><b>{html.escape(keys)}</b></td>"
        f"<td style='padding: 2px 0'>{html.escape(what)}</td></tr>"
        for keys, what in rows
    )
    return f"<h3>{html.escape(title)}</h3><table>{lines}</table>"
