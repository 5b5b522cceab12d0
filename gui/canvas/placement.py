"""Viewpoint and Placement: the position of the image on the screen. Pure numbers: no Qt.

Image coordinates as in ``engine.stickers.geometry``: pixel (row r, column c) covers the square [c, c + 1] x [r, r + 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MARGIN = 3
"""Screen pixels kept free around a fitted image, so that its edge and the handles there can be seen."""
LARGEST_SCALE = 160.0


@dataclass(frozen=True)
class Viewpoint:
    """The view of both panes: the image point in their middle, and the zoom in screen pixels per image pixel."""

    x: float
    y: float
    scale: float

    def shifted(self, dx: float, dy: float) -> Viewpoint:
        """Return the viewpoint moved by image pixels."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoomed(self, factor: float, x: float, y: float, smallest: float) -> Viewpoint:
        """Return the viewpoint zoomed about the image point (x, y), which keeps its position on the screen."""
        scale = min(max(self.scale * factor, smallest), LARGEST_SCALE)
        factor = scale / self.scale
        return Viewpoint(x + (self.x - x) / factor, y + (self.y - y) / factor, scale)

    def kept(self, width: int, height: int) -> Viewpoint:
        """Return the nearest viewpoint whose middle lies on the image."""
        return replace(self, x=min(max(self.x, 0.0), float(width)), y=min(max(self.y, 0.0), float(height)))


@dataclass(frozen=True)
class Placement:
    """The view of one pane: the screen position of the image's corner (in whole pixels, so that edges are sharp), and the zoom."""

    left: int
    top: int
    scale: float

    @classmethod
    def of(cls, viewpoint: Viewpoint, width: int, height: int) -> Placement:
        """Return the placement of a viewpoint in a pane of a given size in screen pixels."""
        scale = viewpoint.scale
        return cls(to_whole(width / 2 - viewpoint.x * scale), to_whole(height / 2 - viewpoint.y * scale), scale)

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Convert screen to image coordinates."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Convert image to screen coordinates."""
        return self.left + x * self.scale, self.top + y * self.scale


def to_whole(position: float) -> int:
    """Round to the nearest screen pixel, halves always up, so that a pan by n pixels always moves the result by n."""
    return math.floor(position + 0.5 + 1e-6)


def fitted(width: int, height: int, pane_width: int, pane_height: int) -> Viewpoint:
    """Return the viewpoint that shows the whole image in a pane."""
    room = max(1, pane_width - 2 * MARGIN), max(1, pane_height - 2 * MARGIN)
    scale = min(room[0] / width, room[1] / height, LARGEST_SCALE)
    return Viewpoint(width / 2, height / 2, scale)
