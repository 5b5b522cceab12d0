"""What a canvas shows, read from its pixels on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage, QPixmap

if TYPE_CHECKING:
    from gui.canvas.pane import Pane


def array(picture: QImage | QPixmap) -> np.ndarray:
    """Return the pixels of a picture, ``(H, W, 3)``."""
    image = (picture.toImage() if isinstance(picture, QPixmap) else picture).convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[:, : image.width(), 2::-1].copy()


def middles(pane: Pane, height: int, width: int) -> np.ndarray:
    """Return the colours ``(height, width, 3)`` on the screen in the middles of the image's pixels."""
    shown = array(pane.viewport.grab())
    points = [[pane.position(x + 0.5, y + 0.5) for x in range(width)] for y in range(height)]
    return np.array([[shown[point.y(), point.x()] for point in row] for row in points])
