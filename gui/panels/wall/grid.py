"""WallGrid: pairs of images in columns, as large as they fit; every pixel stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.picture_widget import PictureWidget, image_of

_GAP = 4
_EDGE = 2
"""Width in pixels of the line above each image, in the colour of clean or of adversarial images."""


class WallGrid(PictureWidget):
    """Paints pairs: the upper image of each is clean, the lower one is trained on. The context menu copies and saves the picture."""

    stem = "training-images"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pairs: list[tuple[QImage, QImage]] = []
        self.setMinimumSize(160, 2 * 20 + 3 * _GAP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Images that the network is trained on")
        self.setToolTip("Blue line: as it came from the data set. Red line: as the network is trained on it.")

    @property
    def count(self) -> int:
        """The number of pairs."""
        return len(self._pairs)

    def show_images(self, clean: Sequence[Any], trained: Sequence[Any]) -> None:
        """Show images ``(H, W, 3)`` uint8: the clean ones and those that are trained on."""
        self._pairs = [(image_of(one), image_of(other)) for one, other in zip(clean, trained, strict=True)]
        self.update()

    def cells(self) -> list[tuple[QRect, QRect]]:
        """Return the places of the pairs: in as many bands as make the images largest."""
        count = len(self._pairs)
        if not count:
            return []
        bands = max(range(1, count + 1), key=lambda bands: self._side(bands, -(-count // bands)))
        columns = -(-count // bands)
        side = self._side(bands, columns)
        found = []
        for place in range(count):
            left = (place % columns) * (side + _GAP)
            top = (place // columns) * (2 * side + 2 * _EDGE + 2 * _GAP)
            upper = QRect(left, top + _EDGE, side, side)
            found.append((upper, upper.translated(0, side + _EDGE + 1)))
        return found

    def _side(self, bands: int, columns: int) -> int:
        wide = (self.width() - (columns - 1) * _GAP) // columns
        high = (self.height() - bands * (2 * _EDGE + 1) - (bands - 1) * 2 * _GAP) // (2 * bands)
        return max(8, min(wide, high))

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            for pair, places in zip(self._pairs, self.cells(), strict=True):
                for image, place, colour in zip(pair, places, (theme.CLEAN, theme.ADVERSARIAL), strict=True):
                    painter.fillRect(QRect(place.topLeft() - QPoint(0, _EDGE), QSize(place.width(), _EDGE)), QColor(colour))
                    painter.drawImage(place, image)
