"""The readout below the images: position and values of the pixel under the mouse, in 0 to 255, at a fixed width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    import numpy as np

FIGURE_SPACE = "\u2007"
"""A space of the width of a digit."""
MINUS = "\u2212"
_NUMBER_AT_END = re.compile(r"(.*?)(\s[<>≤≥~]?\s?[\d.,]+\s?%)")


def pixel_text(x: int, y: int, clean: np.ndarray | None, adversarial: np.ndarray | None) -> tuple[str, str]:
    """Return position and values of the pixel in column x and row y, in full and in short; empty texts outside of the image."""
    before, after = _pixel(clean, x, y), _pixel(adversarial, x, y)
    image = clean if clean is not None else adversarial
    if image is None or (before is None and after is None):
        return "", ""
    digits = len(str(max(image.shape[:2]) - 1))
    where = f"x {_padded(str(x), digits)}, y {_padded(str(y), digits)}"
    known = [(name, _triple(values, 3)) for name, values in (("clean", before), ("adversarial", after)) if values is not None]
    full = [where, *(f"{name} {values}" for name, values in known)]
    short = [where, " → ".join(values for _, values in known)]
    if before is not None and after is not None:
        full.append("change " + " ".join(_padded(signed(b - a), 4) for a, b in zip(before, after, strict=True)))
    return " · ".join(full), " · ".join(short)


def _triple(values: list[int], width: int) -> str:
    return " ".join(_padded(str(value), width) for value in values)


def signed(value: int) -> str:
    """Return a number with its sign; zero has none."""
    return f"+{value}" if value > 0 else f"{MINUS}{-value}" if value < 0 else "0"


def _padded(text: str, width: int) -> str:
    return FIGURE_SPACE * (width - len(text)) + text


def _pixel(image: np.ndarray | None, x: int, y: int) -> list[int] | None:
    if image is None or not (0 <= y < image.shape[0] and 0 <= x < image.shape[1]):
        return None
    return [int(value) for value in image[y, x]]


def with_even_digits(font: QFont) -> QFont:
    """Return the font with digits of equal width, if it has them."""
    even = QFont(font)
    even.setFeature(QFont.Tag("tnum"), 1)
    return even


class ValueLine(QWidget):
    """One line of text, shortened with an ellipsis if necessary; the tool tip then holds the whole text."""

    def __init__(
        self,
        alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text = self._short = ""
        self._alignment = alignment | Qt.AlignmentFlag.AlignVCenter
        self.setFont(with_even_digits(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """The whole text."""
        return self._text

    def set_text(self, text: str, short: str = "") -> None:
        """Set the text, and a short form that is used if the text does not fit."""
        if text != self._text:
            self._text, self._short = text, short
            self.setAccessibleName(text)
            self._follow_width()
            self.update()

    @property
    def shown(self) -> str:
        metrics = self.fontMetrics()
        fits = not self._short or metrics.horizontalAdvance(self._text) <= self.width()
        text = self._text if fits else self._short
        found = _NUMBER_AT_END.fullmatch(text)
        words, number = found.groups() if found else (text, "")
        # The number at the end is never cut: a part of it would read as another number.
        if metrics.horizontalAdvance(number.strip()) > self.width():
            return "…"
        room = self.width() - metrics.horizontalAdvance(number)
        return metrics.elidedText(words, Qt.TextElideMode.ElideRight, room) + number

    def _follow_width(self) -> None:
        self.setToolTip(self._text if self.shown != self._text else "")

    def resizeEvent(self, event: object) -> None:
        self._follow_width()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._text), metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self._alignment), self.shown)
