"""Images from and to the clipboard, and files from dropped content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage

if TYPE_CHECKING:
    import numpy as np


def copy_pixels(pixels: np.ndarray) -> None:
    """Put an image ``(H, W, 3)`` uint8 on the clipboard."""
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    QGuiApplication.clipboard().setImage(image.copy())  # a deep copy, since the QImage does not own the array's memory


def pixels_of(mime: QMimeData | None) -> np.ndarray | None:
    """Return the image in ``mime`` as ``(H, W, 4)`` uint8; None if there is none."""
    import numpy as np

    image = mime.imageData() if mime is not None and mime.hasImage() else None
    if not isinstance(image, QImage) or image.isNull():
        return None
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()


def local_files(mime: QMimeData | None) -> list[str]:
    """Return the paths of the local files in ``mime``, which some platforms pass as None for an empty clipboard."""
    return [] if mime is None else [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
