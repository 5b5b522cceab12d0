"""SurvivalStrip: the adversarial image over growing strength, what is read at each, and the point at which the attack dies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui import theme
from gui.theme import ADVERSARIAL, LABEL
from gui.widgets.picture_widget import PictureWidget, image_of

if TYPE_CHECKING:
    import numpy as np

    from gui.panels.distortion.looks import Fate

_EDGE, _GAP, _LINES, _SIDE = 3, 4, 3, 48
_BOTH = "#7F7F7F"
"""Colour where the clean image is misread, too, so that the attack's success says nothing."""
_WORDS = {
    "alive": "the attack succeeds",
    "undone": "the attack is undone",
    "both": "the clean image is misread, too",
}


@dataclass(frozen=True, eq=False)
class StripCell:
    """The adversarial image at one strength."""

    pixels: np.ndarray
    """``(H, W, 3)`` uint8."""
    strength: str
    name: str
    """The predicted class."""
    probability: str
    fate: Fate


class SurvivalStrip(PictureWidget):
    """A cell for each strength. A click chooses its strength."""

    picked = Signal(int)
    """The index of the cell that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stem = "distortion-strip"
        self.cells: tuple[StripCell, ...] = ()
        self.death: int | None = None
        """The index of the first cell at which the attack is undone."""
        self.chosen: int | None = None
        """The index of the cell whose strength is set."""
        self._images: tuple[QImage, ...] = ()
        font = theme.number_font(self.font())
        font.setPointSizeF(0.85 * font.pointSizeF())
        self.setFont(font)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_cells(self, cells: tuple[StripCell, ...], death: int | None) -> None:
        """Show cells; ``death`` is the index of the first at which the attack is undone."""
        self.cells, self.death = cells, death
        self._images = tuple(image_of(cell.pixels) for cell in cells)
        self.setAccessibleName("; ".join(self.describe(place) for place in range(len(cells))))
        self.updateGeometry()
        self.update()

    def set_chosen(self, place: int | None) -> None:
        """Mark the cell whose strength is set."""
        if place != self.chosen:
            self.chosen = place
            self.update()

    def describe(self, place: int) -> str:
        """Return a cell in words."""
        cell = self.cells[place]
        return f"{cell.strength}: {cell.name} {cell.probability}, {_WORDS[cell.fate]}"

    def sizeHint(self) -> QSize:
        return QSize(240, _EDGE + _SIDE + _LINES * self.fontMetrics().lineSpacing() + 6)

    def room(self, place: int) -> QRect:
        """Return the room of a cell."""
        wide = self.width() // max(1, len(self.cells))
        return QRect(place * wide, 0, wide - _GAP, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            for place in range(len(self.cells)):
                self._paint_cell(painter, place)
            if self.death:  # at the first cell there is nothing before it
                left = self.room(self.death).left() - (_GAP + 2) // 2
                painter.fillRect(QRect(left, 0, 2, self.height()), self.palette().windowText().color())

    def _paint_cell(self, painter: QPainter, place: int) -> None:
        cell, room, palette = self.cells[place], self.room(place), self.palette()
        colour = _colour(cell.fate)
        lines = self.fontMetrics().lineSpacing()
        tall = self.height() - _EDGE - _LINES * lines - 4
        size = self._images[place].size().scaled(room.width(), tall, Qt.AspectRatioMode.KeepAspectRatio)
        painter.fillRect(QRect(room.left(), 0, room.width(), _EDGE), QColor(colour))
        painter.drawImage(QRect(room.left(), _EDGE + 1, size.width(), size.height()), self._images[place])
        if place == self.chosen:
            painter.setPen(theme.pen(palette.windowText().color(), 1))
            painter.drawRect(QRect(room.left(), _EDGE + 1, size.width() - 1, size.height() - 1))
        ink = palette.windowText().color()
        top = self.height() - _LINES * lines
        texts = ((cell.strength, theme.muted_colour(palette)), (cell.name, theme.readable(colour, palette)), (cell.probability, ink))
        for row, (text, pen) in enumerate(texts):
            painter.setPen(pen)
            shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(QRect(room.left(), top + row * lines, room.width(), lines), Qt.AlignmentFlag.AlignLeft, shown)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().toPoint().x())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self.picked.emit(place)

    def _place_at(self, x: int) -> int | None:
        wide = self.width() // max(1, len(self.cells))
        return x // wide if wide and 0 <= x // wide < len(self.cells) else None

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._place_at(event.pos().x())
            QToolTip.showText(event.globalPos(), "" if place is None else self.describe(place), self)
            return True
        return super().event(event)


def _colour(fate: Fate) -> str:
    return {"alive": ADVERSARIAL, "undone": LABEL, "both": _BOTH}[fate]
