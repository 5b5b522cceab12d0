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

_KEY_GAP = 2.2
"""Gap between two keys of a line, in mm."""


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
    """A matplotlib figure addressed in mm from its upper left corner.

    Everything is laid out for the usual font size. With another one, all lengths and letters are ``scale`` times as large in print.
    """

    def __init__(self, figure: Figure, theme: Theme, scale: float = 1.0) -> None:
        self.figure, self.theme, self.scale = figure, theme, scale
        self.width, self.height = (float(side) / (MM * scale) for side in figure.get_size_inches())

    def axes(self, box: Box, **kwargs: Any) -> Axes:
        """Add axes that fill the rectangle ``box``."""
        axes = self.figure.add_axes(self._place(box), **kwargs)
        # Set here and not in the settings: ticks are made while drawing, when the global settings may have changed.
        axes.tick_params(
            labelsize=SIZE * self.scale,
            labelcolor=self.theme.ink,
            labelfontfamily=families(),
            color=self.theme.faint,
            width=0.5 * self.scale,
            length=2 * self.scale,
            pad=1.5 * self.scale,
        )
        axes.tick_params(which="minor", length=0)
        return axes

    def move(self, axes: Axes, box: Box) -> None:
        """Move ``axes`` into the rectangle of another ``box``."""
        axes.set_position(self._place(box))

    def text(self, left: float, top: float, text: str, **kwargs: Any) -> None:
        """Write one line whose box begins at (left, top); ``size`` is in points of the usual page."""
        options: dict[str, Any] = {"va": "top", "ha": "left", "color": self.theme.ink, "size": SIZE, **kwargs}
        options["size"] *= self.scale
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
            left, right, bottom, top = (margin / (float(self.figure.dpi) * MM * self.scale) for margin in margins)
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
    """Draw swatch and text for each key below ``box``, in as many lines as they need; several lines have common columns."""
    lines = _key_lines(keys, box.width)
    widths = _column_widths(lines)
    for row, line in enumerate(lines):
        left, top = box.left, box.top + box.height + 0.8 + row * LINE_MM
        for key, width in zip(line, widths, strict=False):
            page.swatch(Box(left, top + 0.5, 1.6, 1.6), key.colour, round_=key.round)
            page.text(left + 2.4, top, key.text)
            left += width


def _column_widths(lines: Sequence[Sequence[Key]]) -> list[float]:
    """Return the widths of the columns of keys, the gaps behind them included."""
    return [max(2.4 + text_width(line[at].text) + _KEY_GAP for line in lines if at < len(line)) for at in range(len(lines[0]))]


def _key_lines(keys: Sequence[Key], width: float) -> list[list[Key]]:
    """Return the keys in the fewest lines that fit. Lines hold equally many or one less, so that no key stands alone below fuller lines."""
    for each in range(len(keys), 1, -1):
        lines = [list(keys[at : at + each]) for at in range(0, len(keys), each)]
        even = len(lines) == 1 or len(lines[-1]) >= max(2, each - 1)
        if even and sum(_column_widths(lines)) - _KEY_GAP <= width:
            return lines
    return [[key] for key in keys]
