"""Continuation of images beyond their borders, for filters with windows."""

from __future__ import annotations

import torch
from torch import Tensor


def mirrored(images: Tensor, before: int, after: int, *, edge: bool = True) -> Tensor:
    """Return images ``(N, C, H, W)`` with ``before`` rows and columns above and to the left, and ``after`` below and to the right.

    The image continues as in a mirror: ``b a | a b c | c b`` with the ``edge``, ``c b | a b c | b a`` without. Any width is possible.
    """
    if before == after == 0:
        return images
    rows, columns = (torch.tensor(_places(side, before, after, edge)).to(images.device) for side in images.shape[2:])
    return images.index_select(2, rows).index_select(3, columns)


def _places(side: int, before: int, after: int, edge: bool) -> list[int]:
    period = 2 * side if edge else max(1, 2 * side - 2)
    folded = (place % period for place in range(-before, side + after))
    return [place if place < side else period - place - (1 if edge else 0) for place in folded]
