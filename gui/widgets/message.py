"""Message: a sentence with an icon, for an error or a hint."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QWidget

from gui import theme

Kind = Literal["error", "hint"]
_ICONS = {"error": "mdi6.alert-circle-outline", "hint": "mdi6.information-outline"}


class Message(QWidget):
    """An icon and a sentence, hidden while the sentence is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: Kind = "error"
        self._icon = QLabel(self)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(6)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        self.setAccessibleName("Message")
        self.hide()

    @property
    def text(self) -> str:
        """The sentence; empty if there is none."""
        return self._text.text()

    @property
    def kind(self) -> Kind:
        """The sentence's kind: error or hint."""
        return self._kind

    def say(self, text: str, kind: Kind = "error") -> None:
        """Show the sentence; an empty one hides it."""
        if (text, kind) != (self._text.text(), self._kind) or self._icon.pixmap().isNull():
            self._kind = kind
            self._text.setText(text)
            self.setAccessibleDescription(text)
            self._paint()
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and self._text.text():
            self._paint()

    def _paint(self) -> None:
        palette = QApplication.palette()
        colour = theme.readable(theme.MISTAKE, palette) if self._kind == "error" else theme.muted_colour(palette)
        # Set by style sheet, since replacing the application's style sheet would reset a palette of the widget's own.
        self._text.setStyleSheet(f"color: {colour.name()}")
        self._icon.setPixmap(theme.glyph(_ICONS[self._kind], colour, 16))
