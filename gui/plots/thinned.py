"""Thinning of long lines for the screen: no more points than it can show, without losing a peak."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_DRAWN = 600
MOST_MEANS = 240


def drawn(x: Any, y: Any, most: int = MOST_DRAWN) -> tuple[Any, Any]:
    """Return at most ``most`` points of a line: of each group of neighbours the least and the greatest, in their order."""
    if len(x) <= most:
        return x, y
    size = -(-len(x) // (most // 2))
    whole = len(x) // size
    rows = np.nan_to_num(y[: whole * size].reshape(whole, size))
    places = np.sort(np.stack([rows.argmin(1), rows.argmax(1)], 1), 1) + size * np.arange(whole)[:, None]
    kept = np.append(places.ravel(), len(x) - 1)
    return x[kept], y[kept]


def running_mean(x: Any, values: Any, window: int, most: int = MOST_MEANS) -> tuple[Any, Any]:
    """Return the means of each ``window`` neighbouring values, at most ``most`` of them with their last abscissae, evenly spaced.

    The first ones are means of all values so far.
    """
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    places = np.unique(np.linspace(1, len(values), min(most, len(values))).round().astype(int)) if len(values) else np.zeros(0, dtype=int)
    first = np.maximum(0, places - max(1, window))
    return x[places - 1], (sums[places] - sums[first]) / np.maximum(1, places - first)
