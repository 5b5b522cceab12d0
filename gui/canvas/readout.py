"""The readout over the images: position and values of the pixel under the mouse, in 0 to 255, at a fixed width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui.theme import number_font

if TYPE_CHECKING:
    import numpy as np

FIGURE_SPACE = "\u2007"
"""A space of the width of a digit."""
MINUS = "\u2212"
PADDING = 6


def pixel_text(x: int, y: int, size: tuple[int, int], images: Sequence[tuple[str, np.ndarray | None]]) -> tuple[str, str]:
    """Return position and values of a pixel in named images, in full and in short; empty texts outside of the image.

    Column x and row y are those of an image of height and width ``size``; in an image of another size the pixel at the same place is read.
    """
    height, width = size
    if not (0 <= y < height and 0 <= x < width):
        return "", ""
    values = [(name, _pixel(image, x, y, size)) for name, image in images if image is not None]
    if not values:
        return "", ""
    digits = len(str(max(size) - 1))
    where = f"x {_padded(str(x), digits)}, y {_padded(str(y), digits)}"
    full = [where, *(f"{name} {_triple(triple, 3)}" for name, triple in values)]
    short = [where, " → ".join(_triple(triple, 3) for _, triple in values)]
    if len(values) == 2:
        full.append("change " + " ".join(_padded(signed(b - a), 4) for a, b in zip(values[0][1], values[1][1], strict=True)))
    return " · ".join(full), " · ".join(short)


def _triple(values: list[int], width: int) -> str:
    return " ".join(_padded(str(value), width) for value in values)


def signed(value: int) -> str:
    """Return a number with its sign; zero has none."""
    return f"+{value}" if value > 0 else f"{MINUS}{-value}" if value < 0 else "0"


def _padded(text: str, width: int) -> str:
    return FIGURE_SPACE * (width - len(text)) + text


def _pixel(image: np.ndarray, x: int, y: int, size: tuple[int, int]) -> list[int]:
    row, column = y * image.shape[0] // size[0], x * image.shape[1] // size[1]
    return [int(value) for value in image[row, column]]


class Readout(QWidget):
    """One line over the lower edge of the canvas, or over its upper edge while the mouse is below. It takes no room from the images."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._canvas = parent
        self._text = self._short = ""
        self._up = False
        self.setFont(number_font(self.font()))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Pixel under the mouse")
        self.hide()

    @property
    def text(self) -> str:
        """The whole text."""
        return self._text

    @property
    def shown(self) -> str:
        """The text as it is painted: in short if there is no room for all of it."""
        metrics, room = self.fontMetrics(), self._canvas.width() - 6 * PADDING
        text = self._text if metrics.horizontalAdvance(self._text) <= room else self._short
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)

    def set_text(self, text: str, short: str = "") -> None:
        """Set the text, and a short form that is used if the text does not fit; an empty text hides the line."""
        if (text, short) != (self._text, self._short):
            self._text, self._short = text, short
            self.setAccessibleDescription(text)
            self.setVisible(bool(text))
            self.follow()
            self.raise_()
            self.update()

    def avoid(self, at: QPoint) -> None:
        """Move to the other edge of the canvas if the mouse is near this one."""
        near = self.height() + 3 * PADDING
        if self._up and at.y() < self._top() + near:
            self._up = False
        elif not self._up and at.y() > self._canvas.height() - near:
            self._up = True
        self.follow()

    def _top(self) -> int:
        """Return the place at the upper edge, below the headings."""
        return self.height() + 3 * PADDING

    def follow(self) -> None:
        """Take the place that belongs to the text and the size of the canvas."""
        width = self.fontMetrics().horizontalAdvance(self.shown) + 2 * PADDING
        height = self.fontMetrics().height() + PADDING
        top = self._top() if self._up else self._canvas.height() - height - 2 * PADDING
        self.setGeometry(2 * PADDING, top, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 190))
            painter.drawRoundedRect(self.rect(), 3, 3)
            painter.setPen(QColor(255, 255, 255))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.shown)
