"""Thumbnails: a grid of small images with their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

_MARGIN = 6
"""Pixels at the left and right of a caption, which the style leaves free."""


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """One image of the grid."""

    pixels: Any
    """The image ``(H, W, 3)`` uint8, contiguous."""
    title: str
    tip: str = ""
    value: Any = None
    """The value that `Thumbnails.picked` carries."""


class Thumbnails(QListView):
    """A grid from which a click or Enter picks an image. Small images are enlarged by whole factors, without smoothing."""

    picked = Signal(object)
    """A thumbnail was picked: its value."""

    def __init__(self, side: int = 64, parent: QWidget | None = None, *, beside: int = 28, lines: int = 2) -> None:
        """``beside`` is the room that a caption has beyond the width of the image, in pixels; it has ``lines`` lines at the most."""
        super().__init__(parent)
        self._side = side
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(side, side))
        self._lines = lines
        self.setGridSize(QSize(side + beside, side + lines * self.fontMetrics().height() + 10))
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.clicked.connect(self._on_clicked)

    def show_thumbnails(self, thumbnails: Sequence[Thumbnail]) -> None:
        """Replace the thumbnails."""
        self._items.clear()
        for thumbnail in thumbnails:
            item = QStandardItem(QIcon(pixmap_of(thumbnail.pixels, self._side)), thumbnail.title)
            item.setToolTip(thumbnail.tip or thumbnail.title)
            item.setData(thumbnail.title, Qt.ItemDataRole.AccessibleTextRole)
            item.setData([thumbnail.value], Qt.ItemDataRole.UserRole)  # wrapped in a list, so that Qt does not convert it
            item.setSizeHint(self.gridSize())  # else the caption of the first one would give the room of all
            self._items.appendRow(item)

    def fits(self, title: str) -> bool:
        """Return whether a caption is shown whole."""
        room = QRect(0, 0, self.gridSize().width() - 2 * _MARGIN, 10_000)
        needed = self.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), title)
        return needed.width() <= room.width() and needed.height() <= self._lines * self.fontMetrics().height() + 1

    @property
    def count(self) -> int:
        """Return the number of thumbnails."""
        return self._items.rowCount()

    @Slot(QModelIndex)
    def _on_clicked(self, index: QModelIndex) -> None:
        self.picked.emit(index.data(Qt.ItemDataRole.UserRole)[0])

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._on_clicked(self.currentIndex())
            return
        super().keyPressEvent(event)


def pixmap_of(pixels: Any, side: int) -> QPixmap:
    """Return an image ``(H, W, 3)`` uint8 in at most ``side`` pixels; a small one is enlarged by a whole factor, without smoothing."""
    height, width = pixels.shape[:2]
    picture = QPixmap.fromImage(QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888))
    longest = max(height, width)
    whole = longest <= side
    mode = Qt.TransformationMode.FastTransformation if whole else Qt.TransformationMode.SmoothTransformation
    factor = side // longest if whole else side / longest
    return picture.scaled(max(1, int(width * factor)), max(1, int(height * factor)), Qt.AspectRatioMode.KeepAspectRatio, mode)
