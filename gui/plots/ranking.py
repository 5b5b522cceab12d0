"""The classes that a bar chart shows and their order, chosen so that rows do not jump while the scores change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FACTOR, MARGIN = 1.5, 0.005
"""A class that is not shown replaces the weakest one when its score exceeds ``FACTOR * weakest + MARGIN``."""


def stable_top(previous: Sequence[int], scores: npt.NDArray[np.floating], count: int, always: Sequence[int] = ()) -> list[int]:
    """Return ``count`` classes to show. Those shown before keep their rows unless another is clearly stronger; ``always`` are included."""
    count = min(max(count, len(always)), len(scores))
    order = [int(c) for c in np.argsort(-scores, kind="stable")[: count + len(previous)]]
    rows = [c for c in dict.fromkeys(previous) if c < len(scores)]
    while len(rows) > count:  # drop the weakest first
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
    """Return the rows sorted by score, the strongest first."""
    return sorted(rows, key=lambda c: -float(scores[c]))
