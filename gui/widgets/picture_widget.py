"""PictureWidget: the base of widgets that paint pictures; what they show can be copied and saved from their context menu."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QMenu, QWidget

from gui import theme
from gui.widgets.pictures import ask_and_write, copy_picture


class PictureWidget(QWidget):
    """Copies and saves its own picture, as it is on the screen."""

    stem: str
    """Name of the file that is proposed, without its suffix."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("mdi6.content-copy"), "Copy picture", lambda: copy_picture(self.grab().toImage()))
        menu.addAction(theme.icon("mdi6.content-save-outline"), "Save picture as…", self.save)
        menu.popup(event.globalPos())

    def save(self) -> None:
        """Ask for a file, and save the picture as it is on the screen."""
        ask_and_write(self.grab().toImage(), self.stem, "Save picture", self)


def image_of(pixels: Any) -> QImage:
    """Return pixels ``(H, W, 3)`` uint8 as an image that owns its memory."""
    height, width, _ = pixels.shape
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
