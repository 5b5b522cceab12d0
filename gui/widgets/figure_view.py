"""FigureView: a picture as wide as its place, scrolled up and down."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget


class FigureView(QScrollArea):
    """Never larger than it was drawn, and never wider than the view."""

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
        """Show an image file's contents; nothing for None."""
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
        if width * self._whole.height() > room.height() * self._whole.width():  # it will have a scroll bar: decided here, or the two
            width -= self.verticalScrollBar().sizeHint().width()  # would take turns, each making the other right
        pixels = max(1, min(self._whole.width(), round(width * ratio)))
        pixmap = self._whole.scaledToWidth(pixels, Qt.TransformationMode.SmoothTransformation)
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)
