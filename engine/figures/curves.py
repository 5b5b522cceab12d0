"""A plot of one or more lines against a common axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, final

from engine.figures.page import Box, Key, Page, draw_key, key_height
from engine.figures.panels import Array, FigurePanel
from engine.figures.style import ADVERSARIAL, CLEAN, LABEL, TARGET, wrap

COLOURS = (ADVERSARIAL, CLEAN, LABEL, TARGET, "#E69F00", "#56B4E9", "#767676")
"""The colours of Okabe and Ito, in the order of the lines."""
_DASHES = ((0, ()), (0, (4, 1.5)), (0, (1, 1)))


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class CurvePanel(FigurePanel):
    """Lines with a key below; the points of short lines are marked."""

    x: Array
    """The common abscissae, ``(T,)``."""
    lines: Mapping[str, Array]
    """The lines by name, each ``(T,)``."""
    bands: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    """Lower and upper ends of a band around a line, by its name, each ``(T,)``: intervals."""
    x_label: str = ""
    y_label: str = ""
    y_limits: tuple[float, float] | None = None
    """Ends of the vertical axis; None: those of the lines."""
    stretches: ClassVar[bool] = True
    least_mm: ClassVar[float] = 60.0

    def height(self, width: float) -> float:
        """Return the height for a given width, in mm: plots are wider than high."""
        return min(45.0, max(30.0, 0.6 * width))

    def foot(self, width: float) -> float:
        """Return the height of the key, in mm; 0 for a single line."""
        return key_height(self._key(), width) if len(self.lines) > 1 else 0.0

    def draw(self, page: Page, box: Box) -> None:
        """Draw the lines; repeated colours get other dashes."""
        from matplotlib.ticker import MaxNLocator

        axes = page.axes(box)
        marker = "o" if len(self.x) <= 30 else ""
        for place, (name, values) in enumerate(self.lines.items()):
            dashes = _DASHES[place // len(COLOURS) % len(_DASHES)]
            colour = COLOURS[place % len(COLOURS)]
            if name in self.bands:
                axes.fill_between(self.x, *self.bands[name], color=colour, alpha=0.18, linewidth=0)
            axes.plot(self.x, values, color=colour, linewidth=page.scale, linestyle=dashes, marker=marker, markersize=2 * page.scale)
        axes.set(xlabel="\n".join(wrap(self.x_label, box.width)), ylabel=self.y_label)  # a longer label would leave no room for the axes
        if self.y_limits is not None:
            axes.set_ylim(*self.y_limits)
        whole = bool((self.x == self.x.round()).all())
        axes.xaxis.set_major_locator(MaxNLocator(10 if whole else 6, integer=whole))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        page.fit(axes, box)
        if len(self.lines) > 1:
            draw_key(page, box, self._key())

    def _key(self) -> list[Key]:
        return [Key(name, COLOURS[place % len(COLOURS)]) for place, name in enumerate(self.lines)]
