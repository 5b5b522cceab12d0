"""CropView: the opened photograph with the rectangle that is cropped from it for the classifier."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.canvas.crop_geometry import Crop, fits, largest, moved_crop, scaled_crop, spanned
from gui.canvas.pane import surround

if TYPE_CHECKING:
    import numpy as np

Corner = tuple[int, int]
"""A corner of the crop: left or right (0, 1), top or bottom (0, 1)."""
CORNERS: tuple[Corner, ...] = ((0, 0), (1, 0), (0, 1), (1, 1))
DISPLAYED = 1000
"""The longest side, in pixels, of the copy that is drawn: a large photograph is reduced once."""
REACH = 9.0
MARGIN = 5
HANDLE = 8.0
ZOOM_STEP = 1.06
HINT = "Open an image to choose the part of it that the model sees."


class CropView(QWidget):
    """Shows the crop on its photograph. It moves with the mouse or the arrow keys; corners, Ctrl and the wheel, + and - resize it."""

    cropChanged = Signal(tuple)
    """The crop ``(left, top, width, height)`` in the photograph's pixels, during a drag, too."""
    cropCommitted = Signal(tuple)
    """The crop after a drag or another change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = (0, 0)
        self._aspect = 1.0
        self._crop: Crop | None = None
        self._pixmap = QPixmap()
        self._scaled = QPixmap()
        self._pull: Callable[[QPointF], Crop] | None = None
        self._before: Crop | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Crop")
        self.setAccessibleDescription("The part of the photograph that the model sees. The arrow keys move it; plus and minus resize it.")
        self.setToolTip("Drag the rectangle to choose what the model sees; pull a corner, or hold Ctrl and turn the wheel, to resize it.")

    # ------------------------------------------------------------------ contents

    def set_photograph(self, photograph: np.ndarray | None, aspect: float = 1.0, crop: Crop | None = None) -> None:
        """Show a photograph ``(H, W, 3)`` uint8 with a crop of the aspect (width / height); by default the largest, in the middle."""
        self._pull = self._before = None
        if photograph is None:
            self._size, self._crop, self._pixmap = (0, 0), None, QPixmap()
        else:
            height, width = photograph.shape[:2]
            self._size, self._aspect = (width, height), aspect
            self._crop = crop if crop is not None and fits(crop, width, height) else largest(width, height, aspect)
            self._pixmap = _displayed(photograph)
        self._scaled = QPixmap()
        self.update()

    def set_crop(self, crop: Crop) -> None:
        """Show another crop of the same photograph, without a signal."""
        if self._pull is None and fits(crop, *self._size):
            self._crop = crop
            self.update()

    @property
    def crop(self) -> Crop | None:
        """The crop ``(left, top, width, height)`` in the photograph's pixels; None without a photograph."""
        return self._crop

    def _frame(self) -> QRectF:
        """Return the photograph's rectangle on the widget."""
        width, height = self._size
        if not width:
            return QRectF()
        scale = min((self.width() - 2 * MARGIN) / width, (self.height() - 2 * MARGIN) / height)
        shown = round(width * scale), round(height * scale)
        return QRectF((self.width() - shown[0]) // 2, (self.height() - shown[1]) // 2, *shown)

    def _scale(self) -> float:
        return self._frame().width() / self._size[0]

    def _to_photograph(self, at: QPointF) -> tuple[float, float]:
        frame = self._frame()
        return (at.x() - frame.left()) / self._scale(), (at.y() - frame.top()) / self._scale()

    def crop_rect(self) -> QRectF:
        """Return the crop's rectangle on the widget."""
        if self._crop is None:
            return QRectF()
        left, top, width, height = (value * self._scale() for value in self._crop)
        return QRectF(self._frame().left() + left, self._frame().top() + top, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        grey = surround(self.palette())
        painter.fillRect(self.rect(), grey)
        if self._crop is None:
            painter.setPen(QColor("#1a1a1a") if grey.lightness() > 128 else QColor("#e0e0e0"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 12, -12, -12), int(flags), HINT)
            return
        frame, rect = self._frame(), self.crop_rect()
        painter.drawPixmap(frame.topLeft(), self._at_size(frame))
        painter.setClipRect(frame)
        for shade in _around(frame, rect):
            painter.fillRect(shade, QColor(0, 0, 0, 140))
        painter.setClipping(False)
        self._paint_rectangle(painter, rect)

    def _paint_rectangle(self, painter: QPainter, rect: QRectF) -> None:
        edge = rect.adjusted(0, 0, -1, -1)
        width = 2 if self.hasFocus() else 1
        for colour, thickness in ((QColor(0, 0, 0, 170), width + 2), (QColor(255, 255, 255), width)):
            painter.setPen(QPen(colour, thickness, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin))
            painter.drawRect(edge)
        painter.setPen(QPen(QColor(0, 0, 0, 220), 1))
        painter.setBrush(QColor(255, 255, 255))
        for corner in CORNERS:
            at = _corner(edge, corner)
            painter.drawRect(QRectF(at.x() - HANDLE / 2, at.y() - HANDLE / 2, HANDLE, HANDLE))

    def _at_size(self, frame: QRectF) -> QPixmap:
        """Return the photograph in its size on the screen, cached."""
        wanted = frame.size().toSize() * self.devicePixelRatioF()
        if self._scaled.size() != wanted:
            how = Qt.TransformationMode.SmoothTransformation
            if self._pixmap.width() < wanted.width():
                how = Qt.TransformationMode.FastTransformation  # pixels stay pixels
            self._scaled = self._pixmap.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, how)
            self._scaled.setDevicePixelRatio(self.devicePixelRatioF())
        return self._scaled

    # ------------------------------------------------------------------ mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._crop is None:
            return
        self._before = self._crop
        self._pull = self._pulling(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pull is not None:
            self._change(self._pull(event.position()))
        self._update_cursor(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._pull is not None:
            before, self._pull, self._before = self._before, None, None
            if self._crop is not None and self._crop != before:
                self.cropCommitted.emit(self._crop)
        self._update_cursor(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()  # the dock scrolls: the wheel without Ctrl must not change the crop
            return
        if self._crop is not None and self._pull is None:
            self._commit(scaled_crop(self._crop, ZOOM_STEP ** (event.angleDelta().y() / 120), self._aspect, *self._size))
        event.accept()

    def _pulling(self, press: QPointF) -> Callable[[QPointF], Crop]:
        """Return the function of a drag from ``press``: it pulls a corner, moves the rectangle, or draws a new one."""
        crop, aspect, (width, height) = self._crop or (0, 0, 0, 0), self._aspect, self._size
        start = self._to_photograph(press)
        corner = self._corner_at(press)
        if corner is None and self.crop_rect().contains(press):

            def move(at: QPointF) -> Crop:
                now = self._to_photograph(at)
                return moved_crop(crop, now[0] - start[0], now[1] - start[1], width, height)

            return move
        anchor = start
        if corner is not None:
            anchor = crop[0] + crop[2] * (1 - corner[0]), crop[1] + crop[3] * (1 - corner[1])
        return lambda at: spanned(anchor, self._to_photograph(at), aspect, width, height)

    def _corner_at(self, at: QPointF) -> Corner | None:
        rect = self.crop_rect()
        reach = min(REACH, min(rect.width(), rect.height()) / 3)

        def distance(corner: Corner) -> float:
            there = _corner(rect, corner)
            return math.dist((at.x(), at.y()), (there.x(), there.y()))

        nearest = min(CORNERS, key=distance)
        return nearest if distance(nearest) <= reach else None

    def _update_cursor(self, at: QPointF) -> None:
        if self._crop is None or self._pull is not None:
            return
        corner = self._corner_at(at)
        if corner is not None:
            self.setCursor(Qt.CursorShape.SizeFDiagCursor if corner[0] == corner[1] else Qt.CursorShape.SizeBDiagCursor)
        elif self.crop_rect().contains(at):
            self.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            self.setCursor(Qt.CursorShape.CrossCursor if self._frame().contains(at) else Qt.CursorShape.ArrowCursor)

    # ------------------------------------------------------------------ keys and changes

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._crop is None:
            super().keyPressEvent(event)
            return
        ways = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        key = Qt.Key(event.key())
        if key in ways:
            # One pixel of the screen, since one pixel of a large photograph would be invisible.
            step = max(1, round(1 / self._scale())) * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
            self._commit(moved_crop(self._crop, ways[key][0] * step, ways[key][1] * step, *self._size))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._commit(scaled_crop(self._crop, ZOOM_STEP, self._aspect, *self._size))
        elif key == Qt.Key.Key_Minus:
            self._commit(scaled_crop(self._crop, 1 / ZOOM_STEP, self._aspect, *self._size))
        elif key == Qt.Key.Key_Escape and self._before is not None:
            before, self._pull, self._before = self._before, None, None
            self._change(before)
        else:
            super().keyPressEvent(event)

    def _change(self, crop: Crop) -> None:
        if crop != self._crop:
            self._crop = crop
            self.update()
            self.cropChanged.emit(crop)

    def _commit(self, crop: Crop) -> None:
        if crop != self._crop and self._pull is None:
            self._change(crop)
            self.cropCommitted.emit(crop)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        self.update()
        super().changeEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(260, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 96)


def _displayed(photograph: np.ndarray) -> QPixmap:
    import numpy as np

    # A very large photograph is first subsampled: smoothing all of its pixels would block the window.
    skip = max(1, max(photograph.shape[:2]) // (2 * DISPLAYED))
    pixels = np.ascontiguousarray(photograph[::skip, ::skip])
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    if max(width, height) > DISPLAYED:
        size = QSize(width, height).scaled(DISPLAYED, DISPLAYED, Qt.AspectRatioMode.KeepAspectRatio)
        image = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return QPixmap.fromImage(image)  # this copies, so the array may be freed


def _around(frame: QRectF, rect: QRectF) -> list[QRectF]:
    """Return the four rectangles of the frame that surround the crop."""
    return [
        QRectF(frame.left(), frame.top(), frame.width(), rect.top() - frame.top()),
        QRectF(frame.left(), rect.bottom(), frame.width(), frame.bottom() - rect.bottom()),
        QRectF(frame.left(), rect.top(), rect.left() - frame.left(), rect.height()),
        QRectF(rect.right(), rect.top(), frame.right() - rect.right(), rect.height()),
    ]


def _corner(rect: QRectF, corner: Corner) -> QPointF:
    return QPointF(rect.right() if corner[0] else rect.left(), rect.bottom() if corner[1] else rect.top())
