"""Panels that are plots: the histogram of a layer's activations, and the loss over the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from engine.figures.page import Box, Key, Page, draw_key, key_height
from engine.figures.panels import Array, FigurePanel
from engine.figures.style import ADVERSARIAL, CLEAN


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class HistogramPanel(FigurePanel):
    """Histograms of one layer's activations, clean against adversarial, counts on a log axis."""

    edges: Array
    """Edges of the bins, ``(bins + 1,)``."""
    clean: Array
    """Counts of the clean image, ``(bins,)``."""
    adversarial: Array
    clean_max: float
    bound: float | None = None
    """Upper bound of the rectifier, if it has one."""
    stretches: ClassVar[bool] = True

    def height(self, width: float) -> float:
        """Return the height for a given width, in mm: plots are wider than high."""
        return min(38.0, max(26.0, 0.6 * width))

    def foot(self, width: float) -> float:
        """Return the height of the key, in mm."""
        return key_height(self._key(), width)

    def draw(self, page: Page, box: Box) -> None:
        """Draw the clean histogram filled and the adversarial one as a line, so that both are seen where they overlap."""
        axes = page.axes(box, yscale="log")
        axes.stairs(self.clean, self.edges, baseline=0.5, fill=True, color=CLEAN, alpha=0.35, linewidth=0)
        axes.stairs(self.adversarial, self.edges, baseline=0.5, color=ADVERSARIAL, linewidth=0.9 * page.scale)
        axes.axvline(self.clean_max, color=CLEAN, linewidth=0.6 * page.scale, linestyle=(0, (3, 2)))
        if self.bound is not None:
            axes.axvline(self.bound, color=page.theme.ink, linewidth=0.8 * page.scale)
        axes.set(
            xlim=(float(self.edges[0]), float(self.edges[-1])),
            ylim=(0.7, 2 * max(1.0, float(self.clean.max()), float(self.adversarial.max()))),
        )
        axes.yaxis.set_major_formatter(_count)
        axes.set_xlabel("activation")
        axes.set_ylabel("units")
        page.fit(axes, box)
        draw_key(page, box, self._key())

    def _key(self) -> list[Key]:
        bound = [] if self.bound is None else [Key("bound", "#767676")]
        return [Key("clean", CLEAN), Key("adversarial", ADVERSARIAL), *bound]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class LossPanel(FigurePanel):
    """The attacker's loss as a curve over the steps."""

    loss: Array
    """The loss of every step, ``(T,)``."""
    steps: Array | None = None
    """The number of every step, ``(T,)``; None: counted from 0."""
    flipped_at: int | None = None
    """Index of the first successful step."""
    y_label: str = "loss"
    most_mm: float = 38.0
    """The largest height, in mm."""
    stretches: ClassVar[bool] = True

    def height(self, width: float) -> float:
        """Return the height for a given width, in mm: plots are wider than high."""
        return min(self.most_mm, max(26.0, 0.6 * width))

    def draw(self, page: Page, box: Box) -> None:
        """Draw the line, and mark the step at which the label flipped."""
        from matplotlib.ticker import MaxNLocator

        axes = page.axes(box)
        steps = np.arange(len(self.loss)) if self.steps is None else self.steps
        axes.plot(
            steps, self.loss, color=ADVERSARIAL, linewidth=page.scale, marker="o" if len(steps) < 8 else "", markersize=2 * page.scale
        )
        if self.flipped_at is not None:
            axes.axvline(self.flipped_at, color=page.theme.faint, linewidth=0.6 * page.scale, linestyle=(0, (3, 2)))
        axes.set(xlim=(0, max(1, steps[-1]) if len(steps) else 1), xlabel="step", ylabel=self.y_label)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        page.fit(axes, box)


def _count(value: float, _: object = None) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
