"""HeatMap: one value per pixel, with a scale. Moving the mouse reads out values, and a click chooses a pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from engine.text.formatting import short, with_minus
from gui.plots.colour_maps import VIRIDIS, Colours, diverging, diverging_table, on_viridis
from gui.plots.pixel_maps import PixelMap, PixelMaps, Scale
from gui.theme import is_dark

Values = npt.NDArray[np.floating]
Pixel = tuple[int, int]
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


def limits_of(values: Values, signed: bool) -> tuple[float, float]:
    """Return the scale's limits: symmetric about zero if ``signed``, else the range of the values, extended to zero if that is near."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if signed:
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    if 0 <= low < 0.3 * high:
        low = 0.0
    if 0.3 * low < high <= 0:
        high = 0.0
    return (low, high) if high > low else (low, low + 1.0)


class HeatMap(PixelMaps):
    """A map whose pixels can be read out and chosen."""

    hovered = Signal(object)
    """The pixel ``(column, row)`` under the mouse; None when the mouse leaves."""
    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, turns=True)
        self.values: Values = np.zeros((0, 0))
        self._given = ("", False)
        """The title, and whether the values have a sign."""
        self._ground: Colours | None = None
        self._opacity = 1.0
        self.chosen: Pixel | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("Click a pixel to mark it on the canvas; arrow keys go on from there, Esc lets go of it.")

    def set_values(self, values: Values, title: str, signed: bool) -> None:
        """Show a map ``(H, W)``; the chosen pixel is kept if the size is the same."""
        if values.shape != self.values.shape:
            self.chosen = None
        self.values, self._given = values, (title, signed)
        signed = signed and bool((values > 0).any()) and bool((values < 0).any())  # otherwise half of the scale would be unused
        low, high = limits_of(values, signed)
        dark = is_dark(self.palette())
        pixels = diverging(values, high, dark) if signed else on_viridis(values, low, high)
        texts = (f"−{short(high)}", "0", f"+{short(high)}") if signed else (with_minus(short(low)), with_minus(short(high)))
        shown = PixelMap(title, self._over_ground(pixels), values=values)
        self.set_maps([shown], Scale(diverging_table(dark) if signed else VIRIDIS, texts))

    def set_ground(self, pixels: Colours | None, opacity: float = 1.0) -> None:
        """Paint the map over an image ``(H, W, 3)`` of its size with an opacity in [0, 1]; pixels without a value show the image alone."""
        self._ground, self._opacity = pixels, opacity
        if self.values.size:
            self.set_values(self.values, *self._given)

    def _over_ground(self, colours: Colours) -> Colours:
        if self._ground is None or self._ground.shape != colours.shape:
            return np.ascontiguousarray(colours)
        share = np.where(np.isfinite(self.values), self._opacity, 0.0)[..., None]
        return np.ascontiguousarray((share * colours + (1 - share) * self._ground).round().astype(np.uint8))

    def changeEvent(self, event: QEvent) -> None:
        """Paint in the colours of the other theme when that is chosen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.values.size:
            self.set_values(self.values, *self._given)

    # ------------------------------------------------------------------ coordinates

    def pixel_at(self, at: QPoint) -> Pixel | None:
        """Return the pixel (column, row) at a position of the widget; None outside of the map."""
        rects = self.places()[0]
        if not rects or not rects[0].contains(at):
            return None
        rect, (height, width) = rects[0], self.values.shape
        return (at.x() - rect.left()) * width // rect.width(), (at.y() - rect.top()) * height // rect.height()

    def rect_of(self, pixel: Pixel) -> QRect:
        """Return the rectangle of a pixel on the widget."""
        rect, (height, width) = self.places()[0][0], self.values.shape
        left, right = (rect.left() + round((pixel[0] + i) * rect.width() / width) for i in (0, 1))
        top, bottom = (rect.top() + round((pixel[1] + i) * rect.height() / height) for i in (0, 1))
        return QRect(left, top, max(1, right - left), max(1, bottom - top))

    def value(self, pixel: Pixel) -> float:
        """Return the value of a pixel (column, row)."""
        return float(self.values[pixel[1], pixel[0]])

    # ------------------------------------------------------------------ mouse and keys

    def choose(self, pixel: Pixel | None) -> None:
        """Choose a pixel and mark it; None removes the mark."""
        if pixel != self.chosen:
            self.chosen = pixel
            self.update()
            self.picked.emit(pixel)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(self.pixel_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose(self.pixel_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _ARROWS.get(Qt.Key(event.key()))
        if self.chosen is not None and step is not None:
            height, width = self.values.shape
            self.choose((min(max(self.chosen[0] + step[0], 0), width - 1), min(max(self.chosen[1] + step[1], 0), height - 1)))
        elif self.chosen is not None and event.key() == Qt.Key.Key_Escape:
            self.choose(None)
        else:
            super().keyPressEvent(event)

    def _paint(self, painter: QPainter) -> None:
        super()._paint(painter)
        if self.chosen is None or not self.maps:
            return
        rect = self.rect_of(self.chosen)
        if rect.width() < 5:
            rect = QRect(rect.center().x() - 3, rect.center().y() - 3, 7, 7)
        for colour, grow in ((QColor(0, 0, 0), 1), (QColor(255, 255, 255), 0)):
            painter.setPen(colour)
            painter.drawRect(rect.adjusted(-grow, -grow, grow - 1, grow - 1))
