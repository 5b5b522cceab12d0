"""The arrangement of several panes in rows and columns. Pure numbers: no Qt."""

from __future__ import annotations

import math

HEADING = 30
"""The height of a pane's heading in screen pixels, up to a few."""
WORTH = 1.15
"""The factor by which the images have to become larger for another arrangement, so that panes do not move at every pixel."""


def image_width(count: int, columns: int, aspect: float, width: float, height: float) -> float:
    """Return the width at which ``count`` images of an aspect (width / height) are shown in a number of columns of a room."""
    rows = math.ceil(count / columns)
    return min(width / columns, max(1.0, height / rows - HEADING) * aspect)


def columns_for(count: int, aspect: float, width: float, height: float, present: int = 0) -> int:
    """Return the number of columns in which the images are largest. ``present``, if it is in use, stays unless that is worth it."""
    sizes = {columns: image_width(count, columns, aspect, width, height) for columns in range(1, count + 1)}
    best = max(sizes, key=lambda columns: sizes[columns])
    # Two images are beside each other unless a column is clearly better.
    kept = present if present in sizes else count if count <= 2 else best
    return best if sizes[best] > WORTH * sizes[kept] else kept
