"""Page: a figure addressed in mm, with keys of colours, and the rectangles on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.figures.fonts import families
from engine.figures.style import LINE_MM, MM, SIZE, Theme, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Box:
    """A rectangle on the page in mm, ``top`` measured downwards from the page's upper edge."""

    left: float
    top: float
    width: float
    height: float

    def below(self, gap: float, height: float) -> Box:
        """Return the rectangle of that height under this one."""
        return Box(self.left, self.top + self.height + gap, self.width, height)


class Page:
    """A matplotlib figure addressed in mm from its upper left corner."""

    def __init__(self, figure: Figure, theme: Theme) -> None:
        self.figure, self.theme = figure, theme
        self.width, self.height = (float(side) / MM for side in figure.get_size_inches())

    def axes(self, box: Box, **kwargs: Any) -> Axes:
        """Add axes that fill the rectangle ``box``."""
        axes = self.figure.add_axes(self._place(box), **kwargs)
        # Set here and not in the settings: ticks are made while drawing, when the global settings may have changed.
        axes.tick_params(
            labelsize=SIZE, labelcolor=self.theme.ink, labelfontfamily=families(), color=self.theme.faint, width=0.5, length=2, pad=1.5
        )
        axes.tick_params(which="minor", length=0)
        return axes

    def move(self, axes: Axes, box: Box) -> None:
        """Move ``axes`` into the rectangle of another ``box``."""
        axes.set_position(self._place(box))

    def text(self, left: float, top: float, text: str, **kwargs: Any) -> None:
        """Write one line whose box begins at (left, top)."""
        options: dict[str, Any] = {"va": "top", "ha": "left", "size": SIZE, "color": self.theme.ink, **kwargs}
        self.figure.text(left / self.width, 1 - top / self.height, text, **options)

    def swatch(self, box: Box, colour: str, *, round_: bool = False) -> None:
        """Draw a small filled rectangle or dot, for keys."""
        from matplotlib.patches import Ellipse, Rectangle

        left, bottom, width, height = self._place(box)
        shape = Ellipse((left + width / 2, bottom + height / 2), width, height) if round_ else Rectangle((left, bottom), width, height)
        shape.set(transform=self.figure.transFigure, facecolor=colour, edgecolor="none")
        self.figure.add_artist(shape)

    def fit(self, axes: Axes, box: Box) -> None:
        """Shrink ``axes`` until its tick labels and axis labels fit into ``box``, too."""
        margins = (0.0, 0.0, 0.0, 0.0)
        for _ in range(4):  # smaller axes may get other ticks; margins only grow, or two sets of ticks would alternate
            tight, inner = axes.get_tightbbox(), axes.get_window_extent()
            assert tight is not None
            found = (inner.x0 - tight.x0, tight.x1 - inner.x1, inner.y0 - tight.y0, tight.y1 - inner.y1)
            margins = tuple(max(pair) for pair in zip(margins, found, strict=True))
            left, right, bottom, top = (margin / (float(self.figure.dpi) * MM) for margin in margins)
            self.move(axes, Box(box.left + left, box.top + top, box.width - left - right, box.height - bottom - top))

    def _place(self, box: Box) -> tuple[float, float, float, float]:
        return box.left / self.width, 1 - (box.top + box.height) / self.height, box.width / self.width, box.height / self.height


@dataclass(frozen=True)
class Key:
    """One entry of a panel's key: a colour and its meaning."""

    text: str
    colour: str
    round: bool = False


def key_height(keys: Sequence[Key], width: float) -> float:
    """Return the height of the lines that ``keys`` take in ``width`` mm."""
    return 0.8 + LINE_MM * len(_key_lines(keys, width))


def draw_key(page: Page, box: Box, keys: Sequence[Key]) -> None:
    """Draw swatch and text for each key below ``box``, in as many lines as they need."""
    for row, line in enumerate(_key_lines(keys, box.width)):
        left, top = box.left, box.top + box.height + 0.8 + row * LINE_MM
        for key in line:
            page.swatch(Box(left, top + 0.5, 1.6, 1.6), key.colour, round_=key.round)
            page.text(left + 2.4, top, key.text)
            left += _key_width(key)


def _key_width(key: Key) -> float:
    return 2.4 + text_width(key.text) + 2.2


def _key_lines(keys: Sequence[Key], width: float) -> list[list[Key]]:
    lines: list[list[Key]] = [[]]
    for key in keys:
        if lines[-1] and sum(map(_key_width, [*lines[-1], key])) - 2.2 > width:
            lines.append([])
        lines[-1].append(key)
    return lines
