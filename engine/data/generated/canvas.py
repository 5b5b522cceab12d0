"""A supersampled canvas of inks, on which a sign is drawn before it is photographed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.data.generated.geometry import Points, arc, stroke

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

INKS = ("clear", "white", "red", "black", "blue", "yellow", "grey", "green")
SUPERSAMPLING = 4
REACH = 104.0
"""The canvas shows coordinates from -REACH to REACH; a sign reaches from -100 to 100."""


class Canvas:
    """Canvas for polygons in inks, later ones over earlier ones, which computes the share of each pixel that every ink covers."""

    def __init__(self, resolution: int) -> None:
        import PIL.Image
        import PIL.ImageDraw

        self.resolution = resolution
        side = resolution * SUPERSAMPLING
        self._image: Image = PIL.Image.new("L", (side, side), 0)
        self._draw: ImageDraw = PIL.ImageDraw.Draw(self._image)
        self._scale = side / (2.0 * REACH)

    def fill(self, ink: str, *shapes: Points) -> None:
        """Fill each polygon with an ink; ``"clear"`` cuts a hole."""
        for shape in shapes:
            # rounding, so that the last bit of a sine cannot move a corner across a pixel's edge
            pixels = np.floor((shape + REACH) * self._scale + 1e-6).astype(np.int64)
            self._draw.polygon(pixels.ravel().tolist(), fill=INKS.index(ink))

    def line(self, ink: str, width: float, *lines: Points, round_ends: bool = False) -> None:
        """Stroke each polyline with an ink, flat or with round ends."""
        for line in lines:
            self.fill(ink, *stroke(line, width))
            if round_ends:
                self.disc(ink, line[0, 0], line[0, 1], 0.5 * width)
                self.disc(ink, line[-1, 0], line[-1, 1], 0.5 * width)

    def disc(self, ink: str, x: float, y: float, radius: float, radius_y: float | None = None) -> None:
        """Fill a disc or an ellipse with an ink."""
        self.fill(ink, arc(x, y, radius, 0.0, 360.0, radius_y))

    def rounded(self, ink: str, shape: Points, radius: float) -> None:
        """Fill a polygon grown by ``radius``, which rounds its corners."""
        self.fill(ink, shape)
        self.line(ink, 2.0 * radius, np.concatenate([shape, shape[:1]]))

    def keep(self, other: Canvas) -> None:
        """Erase everything where the other canvas has no ink."""
        self._image.paste(0, mask=_mask(np.asarray(other._image) == 0))

    def inside(self, ink: str, other: Canvas) -> None:
        """Paint this ink wherever the other canvas has any."""
        self._image.paste(INKS.index(ink), mask=_mask(np.asarray(other._image) > 0))

    def coverage(self) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
        """Return the inks in use and their share of each pixel, uint8 ``(inks, resolution, resolution)``."""
        index = np.asarray(self._image)
        used = tuple(ink for k, ink in enumerate(INKS) if k > 0 and bool((index == k).any()))
        shares = [np.asarray(_mask(index == INKS.index(ink)).reduce(SUPERSAMPLING), dtype=np.uint8) for ink in used]
        return used, np.stack(shares)


def _mask(chosen: NDArray[np.bool_]) -> Image:
    import PIL.Image

    return PIL.Image.fromarray((chosen * 255).astype(np.uint8))


def inset(shape: Points, centre: Iterable[float], factor: float) -> Points:
    """Shrink a polygon towards a centre by a factor."""
    middle = np.asarray(list(centre), dtype=np.float64)
    return middle + (shape - middle) * factor
