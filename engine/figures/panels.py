"""Panels of a figure, as frozen values that compute their size and draw themselves."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from engine.figures.fonts import families
from engine.figures.style import ADVERSARIAL, CLEAN, LINE_MM, MM, SIZE, Theme, number, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float32]
_SMOOTH_PIXELS = 640
"""Images are enlarged to at least this many pixels before they are embedded, since some viewers blur small ones."""


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


@dataclass(frozen=True, eq=False, kw_only=True)
class FigurePanel(ABC):
    """One part of a figure: a title above, the content, perhaps a scale or a key, a caption below."""

    title: str
    caption: str = ""
    """Caption below the panel, wrapped to its width."""
    picture: ClassVar[bool] = False
    """Whether the panel takes exactly one column; plots take the rest of their row."""
    stretches: ClassVar[bool] = False
    """Whether the content grows to the height of its row."""
    least_mm: ClassVar[float] = 38.0
    """Smallest width of a plot, in mm."""

    @abstractmethod
    def height(self, width: float) -> float:
        """Return the height of the content in mm, for a content of ``width`` mm."""

    def foot(self, width: float) -> float:
        """Return the height in mm of the elements between content and caption."""
        return 0.0

    @abstractmethod
    def draw(self, page: Page, box: Box) -> None:
        """Draw content and foot; ``box`` is the rectangle of the content."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ImagePanel(FigurePanel):
    """The panel of an image, shown pixel by pixel."""

    image: Array
    """The image, ``(C, H, W)`` in [0, 1] with 1 or 3 channels."""
    frame: str | None = None
    """Colour of the frame; None: a faint one."""
    picture: ClassVar[bool] = True

    def height(self, width: float) -> float:
        """Return the height that keeps the proportions of the image."""
        return width * float(self.image.shape[1] / self.image.shape[2])

    def draw(self, page: Page, box: Box) -> None:
        """Draw the image and its frame."""
        image = self.image.transpose(1, 2, 0) if len(self.image) == 3 else self.image[0]
        _show(page, box, image, self.frame, cmap="gray", vmin=0.0, vmax=1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class MapPanel(FigurePanel):
    """A map with one value per pixel under a colour map, with the scale and its printed limits below."""

    values: Array
    """The values, ``(H, W)``."""
    low: float
    high: float
    colours: ClassVar[str]
    picture: ClassVar[bool] = True

    def limits(self) -> tuple[str, str]:
        """Texts at the ends of the scale, which mark that values exceed them."""
        below, above = float(self.values.min()) < self.low - 1e-6 * self.high, float(self.values.max()) > self.high * (1 + 1e-6)
        return f"≤ {number(self.low)}" if below else number(self.low), f"≥ {number(self.high)}" if above else number(self.high)

    def height(self, width: float) -> float:
        """Return the height that keeps the proportions of the map."""
        return width * float(self.values.shape[0] / self.values.shape[1])

    def foot(self, width: float) -> float:
        """Return the height of the scale, in mm."""
        return LINE_MM + 0.9

    def draw(self, page: Page, box: Box) -> None:
        """Draw the map, and its scale between its two limits."""
        _show(page, box, self.values, None, cmap=self.colours, vmin=self.low, vmax=self.high)
        low, high = self.limits()
        left, right = text_width(low) + 1, text_width(high) + 1
        line = box.below(0.9, LINE_MM)
        page.text(line.left, line.top, low)
        page.text(line.left + line.width, line.top, high, ha="right")
        bar = page.axes(Box(line.left + left, line.top + 0.5, max(2.0, line.width - left - right), 1.7))
        bar.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=self.colours, interpolation="none")
        _frame(bar, page.theme.faint, 0.4)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class SignedMapPanel(MapPanel):
    """A map whose values have a sign, such as the perturbation, on a diverging scale centred on zero."""

    colours: ClassVar[str] = "RdBu_r"

    def __post_init__(self) -> None:
        assert self.low == -self.high, "a diverging scale is centred on zero"


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class SaliencyPanel(MapPanel):
    """A map with values from zero upwards; clean and adversarial share their limits."""

    colours: ClassVar[str] = "magma"


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
        """Draw two filled histograms, and the clean maximum as a dashed line."""
        axes = page.axes(box, yscale="log")
        for counts, colour in ((self.clean, CLEAN), (self.adversarial, ADVERSARIAL)):
            axes.stairs(counts, self.edges, baseline=0.5, fill=True, color=colour, alpha=0.25)
            axes.stairs(counts, self.edges, baseline=0.5, color=colour, linewidth=0.8)
        axes.axvline(self.clean_max, color=CLEAN, linewidth=0.6, linestyle=(0, (3, 2)))
        if self.bound is not None:
            axes.axvline(self.bound, color=page.theme.ink, linewidth=0.8)
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
    """The loss, ``(steps + 1,)``."""
    flipped_at: int | None = None
    """Index of the first successful step."""
    y_label: str = "loss"
    stretches: ClassVar[bool] = True

    def height(self, width: float) -> float:
        """Return the height for a given width, in mm: plots are wider than high."""
        return min(38.0, max(26.0, 0.6 * width))

    def draw(self, page: Page, box: Box) -> None:
        """Draw the line, and mark the step at which the label flipped."""
        from matplotlib.ticker import MaxNLocator

        axes = page.axes(box)
        steps = np.arange(len(self.loss))
        axes.plot(steps, self.loss, color=ADVERSARIAL, linewidth=1.0, marker="o" if len(steps) < 8 else "", markersize=2)
        if self.flipped_at is not None:
            axes.axvline(self.flipped_at, color=page.theme.faint, linewidth=0.6, linestyle=(0, (3, 2)))
        axes.set(xlim=(0, max(1, len(steps) - 1)), xlabel="step", ylabel=self.y_label)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        page.fit(axes, box)


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


def _show(page: Page, box: Box, image: Array, frame: str | None, **kwargs: Any) -> None:
    times = max(1, math.ceil(_SMOOTH_PIXELS / max(image.shape[:2])))
    enlarged = image.repeat(times, axis=0).repeat(times, axis=1)
    axes = page.axes(box)
    axes.imshow(enlarged, interpolation="none", aspect="auto", **kwargs)
    _frame(axes, frame or page.theme.faint, 0.9 if frame else 0.4)


def _frame(axes: Axes, colour: str, width: float) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=width)


def _count(value: float, _: object = None) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
