"""Histograms of two images as pixel arrays: all layers in a few NumPy calls, since painting thousands of bars would be too slow.

The count axis is logarithmic, ``log(1 + count) / log(1 + largest count)``, so that a count of 1 is visible beside 10,000.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage, QPainter, QPalette

from gui.theme import ADVERSARIAL, CLEAN, readable

Counts = npt.NDArray[np.floating]
_FILL, _EDGE = 0.45, 1.0


def heights(counts: Counts, largest: Counts, rows: int) -> npt.NDArray[np.int32]:
    """Return the heights of bars ``(L, B)`` in pixels, at most ``rows``; any count above zero gets at least one pixel."""
    scaled: npt.NDArray[np.int32] = np.ceil(np.log1p(counts) / np.log1p(np.maximum(largest, 1))[:, None] * (rows - 1)).astype(np.int32)
    return scaled


def raster(clean: Counts, adversarial: Counts, width: int, height: int, palette: QPalette) -> npt.NDArray[np.uint32]:
    """Draw the two histograms ``(L, B)`` of every layer over each other, as premultiplied ARGB ``(L, height, width)``.

    The clean one is filled and the adversarial one a line, so that both are seen where they overlap. Their colours are readable on the
    palette's background.
    """
    columns = np.arange(width) * clean.shape[1] // width
    largest = np.maximum(clean.max(1), adversarial.max(1))
    up = np.arange(height, 0, -1, dtype=np.int32)[None, :, None]
    bars = [heights(counts, largest, height)[:, columns] for counts in (clean, adversarial)]
    filled = [up <= bar[:, None] for bar in bars]
    edges = [inside & (up > _inside(bar)[:, None]) for inside, bar in zip(filled, bars, strict=True)]
    code = filled[0].astype(np.uint8)
    code[edges[0]] = 2
    code[edges[1]] = 3
    clean_ink, adversarial_ink = inks(palette)
    return np.ascontiguousarray(_colours(clean_ink.rgb(), adversarial_ink.rgb())[code])


def inks(palette: QPalette) -> tuple[QColor, QColor]:
    """Return the colours of the clean and the adversarial histogram on this palette."""
    return readable(CLEAN, palette), readable(ADVERSARIAL, palette)


def _inside(bars: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the heights below the outline of columns ``(L, W)``. The outline is the top pixel, and all pixels above a neighbour."""
    inside = bars - 1
    inside[:, 1:] = np.minimum(inside[:, 1:], bars[:, :-1])
    inside[:, :-1] = np.minimum(inside[:, :-1], bars[:, 1:])
    return inside


@functools.cache
def _colours(clean: int, adversarial: int) -> npt.NDArray[np.uint32]:
    """Return the table of colours: nothing, inside the clean histogram, the clean outline, the adversarial outline."""
    first, second = ((ink.red(), ink.green(), ink.blue()) for ink in (QColor(clean), QColor(adversarial)))
    return np.array(
        [_premultiplied(ink, alpha) for ink, alpha in ((first, 0.0), (first, _FILL), (first, _EDGE), (second, _EDGE))], np.uint32
    )


def _premultiplied(ink: tuple[int, ...], alpha: float) -> int:
    red, green, blue = (round(part * alpha) for part in ink)
    return round(255 * alpha) << 24 | red << 16 | green << 8 | blue


def paint_histogram(painter: QPainter, pixels: npt.NDArray[np.uint32], place: QPoint, ratio: float) -> None:
    """Paint one layer's array ``(height, width)`` at ``place``; ``ratio`` is the screen's device pixel ratio."""
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(place, image)


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most + 1`` round numbers between the limits."""
    span = (high - low) / max(1, most)
    if not span > 0:
        return [low]
    power = 10.0 ** np.floor(np.log10(span))
    step = float(next(m * power for m in (1, 2, 5, 10) if m * power >= span * (1 - 1e-9)))
    first = np.ceil(low / step - 1e-9)
    return [float(k * step) for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def decades(largest: float) -> Sequence[int]:
    """Return the powers of ten, 1, 10, 100 and so on, up to ``largest``."""
    return [10**k for k in range(len(str(int(max(1.0, largest)))))]
