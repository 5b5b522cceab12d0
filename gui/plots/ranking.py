"""Which classes a bar chart shows, and in which order, without jumping while the numbers move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FACTOR, MARGIN = 1.5, 0.005
"""A class that is not shown takes the weakest one's row when its score exceeds ``FACTOR * weakest + MARGIN``."""


def stable_top(previous: Sequence[int], scores: npt.NDArray[np.floating], count: int, always: Sequence[int] = ()) -> list[int]:
    """The ``count`` classes to show: those shown before keep their rows unless another is clearly stronger; ``always`` are among them."""
    count = min(max(count, len(always)), len(scores))
    order = [int(c) for c in np.argsort(-scores, kind="stable")[: count + len(previous)]]
    rows = [c for c in dict.fromkeys(previous) if c < len(scores)]
    while len(rows) > count:  # the weakest go first
        rows.remove(min((c for c in rows if c not in always), key=lambda c: float(scores[c])))
    rows += [c for c in order if c not in rows][: count - len(rows)]
    for wanted in always:
        if wanted not in rows:
            weakest = min((c for c in rows if c not in always), key=lambda c: float(scores[c]))
            rows[rows.index(weakest)] = wanted
    for outsider in (c for c in order if c not in rows):
        loose = [c for c in rows if c not in always]
        weakest = min(loose, key=lambda c: float(scores[c]), default=-1)
        if weakest < 0 or scores[outsider] <= FACTOR * scores[weakest] + MARGIN:
            break
        rows[rows.index(weakest)] = outsider
    return rows


def by_strength(rows: Sequence[int], scores: npt.NDArray[np.floating]) -> list[int]:
    """The same rows, the strongest first."""
    return sorted(rows, key=lambda c: -float(scores[c]))
