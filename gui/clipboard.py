"""Images from and to the clipboard, and files from dropped content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QSize, QUrl
from PySide6.QtGui import QGuiApplication, QImage

if TYPE_CHECKING:
    import numpy as np


def copy_pixels(pixels: np.ndarray) -> None:
    """Put an image ``(H, W, 3)`` uint8 on the clipboard."""
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    QGuiApplication.clipboard().setImage(image.copy())  # a deep copy, since the QImage does not own the array's memory


def copy_picture(png: bytes, dpi: float) -> QSize:
    """Put a PNG on the clipboard as a picture that knows its pixels per inch; return its size in pixels."""
    image = QImage.fromData(png)
    image.setDotsPerMeterX(round(dpi / 0.0254))
    image.setDotsPerMeterY(round(dpi / 0.0254))
    QGuiApplication.clipboard().setImage(image)
    return image.size()


_LONGEST = 4096
"""Characters of a text that are looked at for paths."""


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
    """Return the paths of the local files in ``mime``, which some platforms pass as None for an empty clipboard.

    A text counts as files if each of its lines is the whole path of one, as terminals and file managers copy them.
    """
    if mime is None:
        return []
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()] or (_paths_in(mime.text()) if mime.hasText() else [])


def _paths_in(text: str) -> list[str]:
    lines = [line.strip().strip("\"'") for line in text[:_LONGEST].splitlines()]
    paths = [QUrl(line).toLocalFile() if line.startswith("file:") else line for line in lines if line]
    return paths if paths and all(Path(path).is_absolute() and _is_file(path) for path in paths) else []


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # the text is too long for a path, or holds a zero
        return False
