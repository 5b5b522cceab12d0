"""Texts that are shortened to their room.

Every text loses its end, the names of classes among them: a name is known by its first words. Only the name of a file loses its middle,
since its end tells the kind of the file. Whatever shows a shortened text has the whole one as a tool tip.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QStyleOption, QWidget

_NUMBER = re.compile(r"(\s[<>])?\s[\d.,]+( ?%)?$")


def wrapped(text: str, metrics: QFontMetrics, width: int, lines: int) -> list[str]:
    """Break a text between its words into at most a number of lines of a width; what does not fit is shortened from its end."""
    found: list[str] = []
    rest = text.split()
    while rest and len(found) < lines - 1:
        taken = 1
        while taken < len(rest) and metrics.horizontalAdvance(" ".join(rest[: taken + 1])) <= width:
            taken += 1
        found.append(" ".join(rest[:taken]))
        rest = rest[taken:]
    if rest:
        found.append(" ".join(rest))
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in found]


def with_its_number(text: str, metrics: QFontMetrics, width: int) -> str:
    """Shorten a text that ends in a number, such as a class with its probability, before the number, which stays whole."""
    number = _NUMBER.search(text)
    if number is None or metrics.horizontalAdvance(text) <= width:
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
    room = width - metrics.horizontalAdvance(number[0])
    return metrics.elidedText(text[: number.start()], Qt.TextElideMode.ElideRight, room) + number[0]


class ElidedLabel(QLabel):
    """One line of plain text, shortened with an ellipsis if necessary; the tool tip then holds the whole text.

    It is shortened from its end, or with ``middle``, which is for names of files, in its middle.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, *, middle: bool = False) -> None:
        super().__init__(parent)
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self._tip = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._update_tip()

    def set_tip(self, tip: str) -> None:
        """Set the tool tip. While the text is shortened, the whole text precedes it."""
        self._tip = tip
        self._update_tip()

    @property
    def cut(self) -> bool:
        """Whether the text is shortened."""
        return self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()

    def _update_tip(self) -> None:
        parts = [self.text()] if self.cut else []
        self.setToolTip("\n".join([*parts, *([self._tip] if self._tip else [])]))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, QFontMetrics(self.font()).height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_tip()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        area = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        self.style().drawItemText(painter, area, int(self.alignment()), option.palette, enabled, text, self.foregroundRole())
