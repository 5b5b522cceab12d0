"""ExportButton: opens the menu of the files that a panel can write."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from gui import theme


class ExportButton(QToolButton):
    """“Export”, with an entry for each kind of file."""

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.files = QMenu(self)
        self.files.setToolTipsVisible(True)
        self.setText("Export")
        self.setIcon(theme.icon("mdi6.export-variant"))
        self.setToolButtonStyle(theme.TEXT_BESIDE_ICON)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolTip(tip)
        self.setMenu(self.files)

    def offer(self, title: str, do: Callable[[], object], tip: str = "") -> QAction:
        """Add an entry, and return it."""
        entry = self.files.addAction(title, do)
        entry.setToolTip(tip or title)
        return entry
