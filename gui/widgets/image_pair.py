"""ImagePair: the clean and the adversarial image side by side, each with a few lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.elided import with_its_number
from gui.widgets.picture_widget import PictureWidget, image_of

if TYPE_CHECKING:
    import numpy as np

_GAP = 8
_EDGE = 2
_LEAST = 112
_LINES = 3


@dataclass(frozen=True)
class Cell:
    """One picture, with its lines of text."""

    pixels: np.ndarray
    """``(H, W, 3)`` uint8."""
    lines: tuple[str, ...]
    colour: str


class ImagePair(PictureWidget):
    """Paints two cells side by side. The context menu copies and saves them."""

    def __init__(self, stem: str, tip: str, parent: QWidget | None = None) -> None:
        """``stem`` is the name that is proposed for a file; ``tip`` says what the pictures show."""
        super().__init__(parent)
        self.stem, self._tip = stem, tip
        self.cells: tuple[Cell, ...] = ()
        self._images: tuple[QImage, ...] = ()
        self.setFont(theme.number_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_LEAST + self._text_height)
        self.setToolTip(tip)

    @property
    def _text_height(self) -> int:
        return _LINES * self.fontMetrics().lineSpacing() + 4

    def sizeHint(self) -> QSize:
        return QSize(260, 120 + self._text_height)

    def show_cells(self, cells: tuple[Cell, ...]) -> None:
        """Show pictures with their texts."""
        self.cells = cells
        self._images = tuple(image_of(cell.pixels) for cell in cells)
        self.setAccessibleName("; ".join(", ".join(cell.lines) for cell in cells))
        self.setToolTip("\n".join((self._tip, *("\n".join(cell.lines) for cell in cells))))
        self.update()

    def places(self) -> list[QRect]:
        """Return the places of the pictures, as large as they fit."""
        wide = (self.width() - _GAP) // 2
        side = max(16, min(wide, self.height() - self._text_height - _EDGE))
        return [QRect(place * (wide + _GAP), _EDGE, side, side) for place in range(len(self.cells))]

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            wide = (self.width() - _GAP) // 2
            for cell, image, place in zip(self.cells, self._images, self.places(), strict=True):
                size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
                painter.fillRect(QRect(place.left(), place.top() - _EDGE, size.width(), _EDGE), QColor(cell.colour))
                painter.drawImage(QRect(place.topLeft(), size), image)
                self._paint_lines(painter, cell, QRect(place.left(), place.top() + size.height() + 2, wide, self._text_height))

    def _paint_lines(self, painter: QPainter, cell: Cell, room: QRect) -> None:
        spacing = self.fontMetrics().lineSpacing()
        for number, line in enumerate(cell.lines):
            first = number == 0
            painter.setPen(theme.readable(cell.colour, self.palette()) if first else self.palette().windowText().color())
            text = with_its_number(line, self.fontMetrics(), room.width())
            painter.drawText(room.left(), room.top() + (number + 1) * spacing - self.fontMetrics().descent(), text)
