"""The curve of the foot: losses over steps, reduced to the width of the screen, and their texts. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.text.formatting import decimals_of, with_decimals

Values = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LossCurve:
    """The loss of every step so far."""

    steps: Values
    """Numbers of the steps, growing."""
    losses: Values
    """The loss of each; NaN where the model gave none."""
    name: str = "loss"
    """The name of what is plotted, with its sign, such as “−cross-entropy towards Yield”."""

    def is_same(self, other: LossCurve) -> bool:
        """Return whether two curves look the same."""
        return self.name == other.name and np.array_equal(self.steps, other.steps) and np.array_equal(self.losses, other.losses, True)

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest finite loss; (0, 1) if there is none, and a unit apart if they are equal."""
        finite = self.losses[np.isfinite(self.losses)]
        if not finite.size:
            return 0.0, 1.0
        low, high = float(finite.min()), float(finite.max())
        return (low, high) if high - low > 1e-12 * max(1.0, abs(high)) else (low - 0.5, high + 0.5)

    @property
    def decimals(self) -> int | None:
        """The decimals of every loss of the curve, so that the point never moves: three digits of the largest, below 100 two at least.

        None stands for powers of ten, in which losses are written that are all tiny.
        """
        most = max(map(abs, self.limits))
        return decimals_of(most, least=2 if 0 < most < 100 else 0)

    def loss_at(self, step: float) -> float | None:
        """Return the loss of the step nearest to a number; None if there is none."""
        if not len(self.steps):
            return None
        value = float(self.losses[int(np.abs(self.steps - step).argmin())])
        return value if math.isfinite(value) else None

    def text(self, value: float | None) -> str:
        """Return a loss as text, with the curve's decimals."""
        if value is None:
            return "–"
        return with_decimals(value, self.decimals)

    @property
    def longest_text(self) -> str:
        """The longest text of a loss of this curve."""
        return max((self.text(limit) for limit in self.limits), key=len)

    def reduced(self, columns: int) -> tuple[Values, Values]:
        """Return steps and losses with the least and the largest loss of every column of the screen, in their order, without NaN."""
        finite = np.isfinite(self.losses)
        steps, losses = self.steps[finite], self.losses[finite]
        if len(steps) <= 2 * columns:
            return steps, losses
        edges = np.linspace(0, len(steps), columns + 1).astype(int)[:-1]
        low = np.minimum.reduceat(losses, edges)
        high = np.maximum.reduceat(losses, edges)
        return np.repeat(steps[edges], 2), np.stack([low, high], 1).ravel()


EMPTY = LossCurve(np.zeros(0), np.zeros(0))
