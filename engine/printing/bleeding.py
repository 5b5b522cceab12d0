"""Bleed: content that continues beyond the cut line, so that a cut beside it shows no white edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.printing.pieces import Piece

_PER_MM = 12.0
"""Samples a mm, which are 305 dots per inch."""
_LONGEST = 2400
"""Most samples along a side."""


def with_bleed(piece: Piece, bleed: float) -> NDArray[np.uint8]:
    """Return the piece's box with ``bleed`` mm around it, ``(h, w, 3)``.

    Beyond the outline each point has the colour of the nearest one inside; farther than ``bleed`` from it, white.
    """
    from scipy.ndimage import distance_transform_edt

    width, height = piece.width + 2 * bleed, piece.height + 2 * bleed
    per_mm = min(_PER_MM, _LONGEST / max(width, height))
    columns, rows = max(2, round(width * per_mm)), max(2, round(height * per_mm))
    u = ((np.arange(columns) + 0.5) * width / columns - bleed) / piece.width
    v = ((np.arange(rows) + 0.5) * height / rows - bleed) / piece.height
    inside = piece.shape.contains(torch.from_numpy(u)[None, :], torch.from_numpy(v)[:, None]).expand(rows, columns).numpy()
    shown: NDArray[Any] = np.round(255 * _sampled(piece, u, v)).astype(np.uint8)
    if not inside.any():  # a shape finer than the samples
        return np.full_like(shown, 255)
    distances, nearest = distance_transform_edt(~inside, sampling=(height / rows, width / columns), return_indices=True)
    shown = shown[nearest[0], nearest[1]]
    shown[distances > bleed] = 255
    return shown


def _sampled(piece: Piece, u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels of the piece at points of its unit square, those beyond it at its edge."""
    rows, columns = piece.pixels.shape[:2]
    across = np.clip((u * columns).astype(int), 0, columns - 1)
    down = np.clip((v * rows).astype(int), 0, rows - 1)
    found: NDArray[Any] = piece.pixels[down][:, across]
    return found
