"""PixelMaps: small images side by side, enlarged without smoothing, with one colour bar for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from gui.plots.colour_maps import GREY, Colours
from gui.plots.menu import PlotMenu, Table
from gui.theme import GRID, line_colour, muted_colour, number_font, readable


@dataclass(frozen=True, eq=False)
class PixelMap:
    """An image with its heading."""

    title: str
    pixels: Colours
    """The colours ``(H, W, 3)`` uint8, contiguous."""
    colour: str | None = None
    """The colour of the heading; None for the text's."""
    values: np.ndarray | None = None
    """The values ``(H, W)`` or ``(H, W, C)`` that the colours stand for; None if only the colours are known."""


@dataclass(frozen=True, eq=False)
class Scale:
    """The colour scale: the bar's table, and its limits as text, lowest first."""

    table: Colours = field(default_factory=lambda: GREY)
    """The bar's colours ``(256, 3)``, lowest first."""
    limits: tuple[str, ...] = ()
    """The texts at the bar; without any there is no bar."""


def arrange(shapes: Sequence[tuple[int, ...]], size: QSize, heading: int, bar: int) -> tuple[list[QRect], QRect]:
    """Return the rectangles of maps of these shapes (height, width), and of the bar below them.

    The maps stand in a row or one below the other, whichever makes them larger, beginning at the top, each under its heading.
    """
    count = max(1, len(shapes))
    in_row = (size.width() - (count - 1) * GRID) // count, size.height() - heading - bar - GRID
    in_column = size.width(), (size.height() - bar - GRID - (count - 1) * GRID) // count - heading
    row, column = (min((_factor(shape, *room) for shape in shapes), default=1.0) for room in (in_row, in_column))
    stacked = column > row
    across, down = in_column if stacked else in_row
    rects, left, top = [], 0, heading
    for shape in shapes:
        factor = _factor(shape, across, down)
        each = QSize(max(1, int(shape[1] * factor)), max(1, int(shape[0] * factor)))
        rects.append(QRect(QPoint(left + (across - each.width()) // 2, top), each))
        left, top = (left, top + each.height() + GRID + heading) if stacked else (left + across + GRID, top)
    bottom = max((rect.bottom() for rect in rects), default=size.height() - bar - GRID)
    return rects, QRect(0, bottom + GRID, size.width(), 8)


def _factor(shape: tuple[int, ...], across: int, down: int) -> float:
    return max(0.01, min(across / shape[1], down / shape[0]))


class PixelMaps(QWidget):
    """One or several maps with one colour bar: in a row, or one below the other where they are larger so."""

    def __init__(self, parent: QWidget | None = None, *, turns: bool = False) -> None:
        super().__init__(parent)
        self._turns = turns
        """Whether a single map without heading gets its bar at the side when the widget is wider than high."""
        self.maps: tuple[PixelMap, ...] = ()
        self.scale = Scale()
        self.note = ""
        """The text that is shown while there are no maps."""
        self.setFont(number_font(self.font()))
        self.setMinimumSize(96, 56)
        PlotMenu(self, self.numbers, "maps")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(280, 240)

    def set_maps(self, maps: Sequence[PixelMap], scale: Scale, note: str = "") -> None:
        """Show maps with their scale, or ``note`` if there are none."""
        self.maps, self.scale, self.note = tuple(maps), scale, note
        self.update()

    def numbers(self) -> Table:
        """Return a row for each pixel of each map: its values, or red, green and blue in 0 to 255 where only the colours are known."""
        rows: list[list[object]] = []
        widest = 1
        for one in self.maps:
            values = one.pixels if one.values is None else one.values
            values = values.reshape(*values.shape[:2], -1)
            widest = max(widest, values.shape[2])
            for y, line in enumerate(values.tolist()):
                rows += [[one.title, x, y, *pixel] for x, pixel in enumerate(line)]
        names = ["value"] if widest == 1 else ["red", "green", "blue", *map(str, range(3, widest))][:widest]
        return ["map", "x", "y", *names], rows

    @property
    def turned(self) -> bool:
        """Whether the bar is at the side of the map."""
        return self._turns and len(self.maps) == 1 and self.width() > 1.5 * self.height()

    def places(self) -> tuple[list[QRect], QRect]:
        """Return the rectangles of the maps and of the bar."""
        if self.turned:
            return self._places_beside()
        return arrange([one.pixels.shape[:2] for one in self.maps], self.size(), self._heading, self._bar)

    def used_height(self, room: int) -> int:
        """Return how much of a height the maps use at the present width."""
        shapes = [one.pixels.shape[:2] for one in self.maps]
        if not shapes:
            return room
        rects, bar = arrange(shapes, QSize(self.width(), room), self._heading, self._bar)
        return bar.top() + self._bar if self._bar else max(rect.bottom() for rect in rects) + 2

    @property
    def _heading(self) -> int:
        """The height of a map's heading; a map without one leaves no room for it."""
        return self.fontMetrics().lineSpacing() if any(one.title for one in self.maps) else 1

    @property
    def _bar(self) -> int:
        """The height of the bar with its limits."""
        return 10 + self.fontMetrics().lineSpacing() if self.scale.limits else 0

    def _places_beside(self) -> tuple[list[QRect], QRect]:
        height, width = self.maps[0].pixels.shape[:2]
        scale = 10 + GRID + max((self.fontMetrics().horizontalAdvance(text) for text in self.scale.limits), default=0)
        factor = max(0.01, min((self.width() - scale - GRID) / width, (self.height() - 2) / height))
        size = QSize(max(1, int(width * factor)), max(1, int(height * factor)))
        left, top = (self.width() - size.width() - scale - GRID) // 2, (self.height() - size.height()) // 2
        return [QRect(QPoint(left, top), size)], QRect(left + size.width() + GRID, top, 10, size.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # the context manager ends the painter even after an error: one that outlives its event crashes
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        if not self.maps:
            painter.setPen(muted_colour(self.palette()))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.note)
            return
        rects, bar = self.places()
        for rect, one in zip(rects, self.maps, strict=True):
            self._paint_map(painter, rect, one)
        if self.scale.limits:
            self._paint_bar(painter, bar)

    def _paint_map(self, painter: QPainter, rect: QRect, one: PixelMap) -> None:
        height, width = one.pixels.shape[:2]
        painter.drawImage(rect, QImage(one.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888))
        painter.setPen(line_colour(self.palette()))
        painter.drawRect(rect.adjusted(-1, -1, 0, 0))
        if self.turned:
            return
        line = self.fontMetrics().lineSpacing()
        across = sum(abs(other.top() - rect.top()) < 2 for other in self.places()[0])
        room = (self.width() + GRID) // across - GRID
        left = max(0, min(rect.left(), rect.center().x() - room // 2)) if across > 1 else rect.left()
        column = QRect(left, rect.top() - line - 1, room if across > 1 else self.width() - rect.left(), line)
        painter.setPen(readable(one.colour, self.palette()) if one.colour else muted_colour(self.palette()))
        text = self.fontMetrics().elidedText(one.title, Qt.TextElideMode.ElideRight, column.width())
        painter.drawText(column, Qt.AlignmentFlag.AlignLeft, text)

    def _paint_bar(self, painter: QPainter, bar: QRect) -> None:
        if self.turned:
            self._paint_standing_bar(painter, bar)
            return
        strip = np.ascontiguousarray(self.scale.table[None])
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(bar), QImage(strip.data, 256, 1, 768, QImage.Format.Format_RGB888))
        painter.setPen(line_colour(self.palette()))
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        painter.setPen(muted_colour(self.palette()))
        below = QRect(bar.left(), bar.bottom() + 2, bar.width(), self.fontMetrics().lineSpacing())
        sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        limits = self.scale.limits
        for text, side in zip(limits, sides if len(limits) == 3 else (sides[0], sides[2]), strict=False):
            painter.drawText(below, side, text)

    def _paint_standing_bar(self, painter: QPainter, bar: QRect) -> None:
        strip = np.ascontiguousarray(self.scale.table[::-1, None])
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(bar), QImage(strip.data, 1, 256, 3, QImage.Format.Format_RGB888))
        painter.setPen(line_colour(self.palette()))
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        painter.setPen(muted_colour(self.palette()))
        beside = QRect(bar.right() + 4, bar.top(), self.width() - bar.right() - 4, bar.height())
        limits = self.scale.limits
        sides = (Qt.AlignmentFlag.AlignBottom, Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignTop)
        for text, side in zip(limits, sides if len(limits) == 3 else (sides[0], sides[2]), strict=False):
            painter.drawText(beside, side | Qt.AlignmentFlag.AlignLeft, text)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            under = (
                one.title
                for rect, one in zip(self.places()[0], self.maps, strict=True)
                if rect.adjusted(0, -20, 0, 0).contains(event.pos())
            )
            QToolTip.showText(event.globalPos(), "\n".join(filter(None, [next(under, ""), self.toolTip()])), self)
            return True
        return super().event(event)


class CaptionedMaps(QWidget):
    """Maps with their caption directly below: what the maps do not use of the height stays empty under the caption."""

    def __init__(self, maps: PixelMaps, caption: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.maps, self.caption = maps, caption
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(maps, 1)
        column.addWidget(caption)
        column.addStretch(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Give the maps the height that they use."""
        room = self.height() - self.caption.height() - self._column.spacing()
        most = max(self.maps.minimumHeight(), self.maps.used_height(room))
        if self.maps.maximumHeight() != most:
            self.maps.setMaximumHeight(most)
