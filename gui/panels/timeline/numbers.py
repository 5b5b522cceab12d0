"""Numbers: a number over the word that says what it is, in a width that does not jump."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import muted_colour, number_font, text_colour


class Numbers(QWidget):
    """A number and a word below it, right-aligned. The width is that of the longest number so far of what is shown."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._longest = name, ""
        self.number = self.word = ""
        self.setFont(number_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def reserve(self, longest: str) -> None:
        """Take the width of a text, the longest that will be shown."""
        if len(longest) != len(self._longest):
            self.updateGeometry()
        self._longest = longest

    def show_texts(self, number: str, word: str, tip: str) -> None:
        """Show a number and its word."""
        if (number, word) != (self.number, self.word):
            self.number, self.word = number, word
            self.setAccessibleName(f"{self._name}: {number}, {word}")
            if len(number) > len(self._longest):
                self.reserve(number)
            self.update()
        if tip != self.toolTip():
            self.setToolTip(tip)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        wide = max(metrics.horizontalAdvance("0" * len(self._longest)), metrics.horizontalAdvance("iteration"))
        return QSize(wide + 4, 2 * metrics.lineSpacing())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self.palette()
        half = self.rect().adjusted(0, 0, -2, 0)
        half.setHeight(self.height() // 2)
        right = Qt.AlignmentFlag.AlignRight
        painter.setPen(text_colour(palette))
        painter.drawText(half, right | Qt.AlignmentFlag.AlignBottom, self.number)
        painter.setPen(muted_colour(palette))
        half.moveTop(self.height() // 2)
        painter.drawText(half, right | Qt.AlignmentFlag.AlignTop, self.word)
