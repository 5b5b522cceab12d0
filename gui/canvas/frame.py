"""A frame in the highlight's colour around a widget: files hover over it, or the keyboard is in it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget


class HighlightFrame(QFrame):
    """Lies over the whole of a widget, and lets the mouse through."""

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
