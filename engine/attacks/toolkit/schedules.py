"""Schedules by which step sizes fall over a run."""

from __future__ import annotations

import math


def cosine(first: float, last: float, index: int, steps: int) -> float:
    """Interpolate from ``first`` at step 0 towards ``last`` at step ``steps``, along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * index / steps)) / 2
