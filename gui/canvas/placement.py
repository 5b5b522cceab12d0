"""Where the image lies on the screen. Pure numbers: no Qt.

Image coordinates as in ``engine.stickers.geometry``: pixel (row r, column c) covers the square [c, c + 1] x [r, r + 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MARGIN = 8
"""Screen pixels kept free around a fitted image."""
LARGEST_SCALE = 160.0
WHOLE_FROM = 4
"""From this zoom on a fitted image takes a whole number of screen pixels per pixel, so that all pixels look equally large."""


@dataclass(frozen=True)
class Viewpoint:
    """What both panes look at: the image point in their middle, and the screen pixels per image pixel."""

    x: float
    y: float
    scale: float

    def shifted(self, dx: float, dy: float) -> Viewpoint:
        """Look at a point further along by image pixels."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoomed(self, factor: float, x: float, y: float, smallest: float) -> Viewpoint:
        """Zoom so that the image point (x, y) stays where it is on the screen."""
        scale = min(max(self.scale * factor, smallest), LARGEST_SCALE)
        factor = scale / self.scale
        return Viewpoint(x + (self.x - x) / factor, y + (self.y - y) / factor, scale)

    def kept(self, width: int, height: int) -> Viewpoint:
        """The nearest one whose middle lies on the image."""
        return replace(self, x=min(max(self.x, 0.0), float(width)), y=min(max(self.y, 0.0), float(height)))


@dataclass(frozen=True)
class Placement:
    """The same for one pane: the screen position of the image's corner (whole pixels, so that edges are sharp), and the zoom."""

    left: int
    top: int
    scale: float

    @classmethod
    def of(cls, viewpoint: Viewpoint, width: int, height: int) -> Placement:
        """The placement in a pane of that many screen pixels."""
        scale = viewpoint.scale
        return cls(to_whole(width / 2 - viewpoint.x * scale), to_whole(height / 2 - viewpoint.y * scale), scale)

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """From screen to image pixels."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """From image to screen pixels."""
        return self.left + x * self.scale, self.top + y * self.scale


def to_whole(position: float) -> int:
    """The nearest screen pixel, halves always up: a pan by n pixels shifts it by n, whatever its fraction and its rounding error."""
    return math.floor(position + 0.5 + 1e-6)


def fitted(width: int, height: int, pane_width: int, pane_height: int) -> Viewpoint:
    """The viewpoint that shows the whole image in the pane."""
    room = max(1, pane_width - 2 * MARGIN), max(1, pane_height - 2 * MARGIN)
    scale = min(room[0] / width, room[1] / height, LARGEST_SCALE)
    return Viewpoint(width / 2, height / 2, float(int(scale)) if scale >= WHOLE_FROM else scale)
