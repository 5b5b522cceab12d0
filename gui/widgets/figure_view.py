"""FigureView: an image that is fitted to the width of the view and scrolled vertically."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget


class FigureView(QScrollArea):
    """A scrollable image, at most in its original size and at most as wide as the view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = QPixmap()
        self.picture = QLabel(self)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setWidget(self.picture)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(160)

    def set_png(self, data: bytes | None) -> None:
        """Show the image of a file's bytes; None clears the view."""
        self._whole = QPixmap()
        if data is not None:
            self._whole.loadFromData(data)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._whole.isNull():
            self.picture.clear()
            return
        room, ratio = self.maximumViewportSize(), self.devicePixelRatioF()
        width = room.width()
        # The scroll bar is decided here: otherwise the image would fit with it and not without it, and it would flicker.
        if width * self._whole.height() > room.height() * self._whole.width():
            width -= self.verticalScrollBar().sizeHint().width()
        pixels = max(1, min(self._whole.width(), round(width * ratio)))
        pixmap = self._whole.scaledToWidth(pixels, Qt.TransformationMode.SmoothTransformation)
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)
