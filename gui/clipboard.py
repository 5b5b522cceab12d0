"""Pictures to and from the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage

if TYPE_CHECKING:
    import numpy as np


def copy_pixels(pixels: np.ndarray) -> None:
    """Put ``(H, W, 3)`` uint8 on the clipboard."""
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    QGuiApplication.clipboard().setImage(image.copy())  # the buffer of the first one ends here


def pixels_of(mime: QMimeData | None) -> np.ndarray | None:
    """``(H, W, 4)`` uint8 of the picture in ``mime``; None where there is none."""
    import numpy as np

    image = mime.imageData() if mime is not None and mime.hasImage() else None
    if not isinstance(image, QImage) or image.isNull():
        return None
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()


def local_files(mime: QMimeData | None) -> list[str]:
    """Paths of the files in ``mime`` that lie on this machine. An empty clipboard has none: some platforms give None for it."""
    return [] if mime is None else [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
