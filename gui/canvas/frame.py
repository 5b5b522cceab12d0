"""HighlightFrame: a frame around a widget that has the keyboard focus, or over which files hover."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget


class HighlightFrame(QFrame):
    """Covers a widget, and lets the mouse through."""

    def __init__(self, widget: QWidget, thickness: int) -> None:
        super().__init__(widget)
        self._widget = widget
        self.setStyleSheet(f"border: {thickness}px solid palette(highlight); background: transparent;")
        self.setProperty("dressed", True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def follow(self) -> None:
        """Take the widget's size."""
        self.setGeometry(self._widget.rect())

    def appear(self) -> None:
        """Show it on top."""
        self.follow()
        self.show()
        self.raise_()
