"""Intervals of confidence for shares that were counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: both tails together hold 5 %."""


def wilson(hits: int, of: int, z: float = _Z) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of which ``hits`` in ``of`` were seen; (0, 1) where nothing was counted.

    ``(p + z²/2n ± z * sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``. Unlike the normal approximation it stays in [0, 1] and has a width at 0 and
    at 1.

    Wilson 1927, doi 10.1080/01621459.1927.10502953.
    """
    if not of:
        return 0.0, 1.0
    share = hits / of
    middle, scale = share + z * z / (2 * of), 1 + z * z / of
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    low, high = (middle - half) / scale, (middle + half) / scale
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == of else min(1.0, high))


@dataclass(frozen=True)
class Share:
    """A counted share with Wilson's 95 % interval."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share in [0, 1]; None where nothing was counted."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the interval, in [0, 1]."""
        return wilson(self.hits, self.of)

    def text(self) -> str:
        """Format as ``61.0 % (54.1 to 67.5 %), 122 of 200``."""
        if self.value is None:
            return "–"
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f} %), {self.hits:,} of {self.of:,}"
