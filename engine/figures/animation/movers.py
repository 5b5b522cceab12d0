"""Movers: the parts of an animation's page that change from frame to frame, each painted over what stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from engine.figures.bars import Entry
from engine.figures.fonts import drawable, families_for
from engine.figures.layout import Placed
from engine.figures.page import Box, Page
from engine.figures.panels import Array
from engine.figures.style import ADVERSARIAL, LINE_MM, SIZE, percent, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

Pixels = NDArray[np.uint8]


class Mover:
    """One moving part. Texts and lines are drawn by matplotlib, pictures are copied into the frame."""

    def begin(self, page: Page) -> None:
        """Make the artists, after what stands still has been drawn."""

    def draw(self, place: int, renderer: Any) -> None:
        """Draw the artists of the frame with this number."""

    def paint(self, place: int, frame: Pixels) -> None:
        """Copy pixels into the frame with this number."""


@final
class TextMover(Mover):
    """A caption whose words change from frame to frame, below its panel."""

    def __init__(self, place: Placed, captions: Sequence[str]) -> None:
        self._place = place
        self._lines = [wrap(caption, place.box.width) if caption else [] for caption in captions]
        self._texts: list[Text] = []

    @property
    def most(self) -> int:
        """The number of lines that the longest of all captions has."""
        return max(map(len, self._lines))

    def begin(self, page: Page) -> None:
        """Make one text for every line of the longest caption."""
        place = self._place
        self._texts = [_text(page, place.box.left, place.caption_top + row * LINE_MM) for row in range(self.most)]

    def draw(self, place: int, renderer: Any) -> None:
        """Draw the lines of the caption that this frame has."""
        for text, line in zip(self._texts, self._lines[place], strict=False):
            _say(text, line)
            text.draw(renderer)


@final
class PictureMover(Mover):
    """A picture that changes, enlarged pixel by pixel.

    Parameters
    ----------
    box
        Where it is on the page.
    pixels
        Function that returns the picture ``(H, W, 3)`` of a frame.
    """

    def __init__(self, box: Box, pixels: Callable[[int], Pixels]) -> None:
        self._box, self._pixels = box, pixels
        self._page: Page | None = None

    def begin(self, page: Page) -> None:
        """Remember the page, which knows how large the frames are."""
        self._page = page

    def paint(self, place: int, frame: Pixels) -> None:
        """Copy the picture into its rectangle, inside the frame that is drawn around it."""
        assert self._page is not None
        across, down = self._page.figure.canvas.get_width_height()
        left, right = (round(x / self._page.width * across) for x in (self._box.left, self._box.left + self._box.width))
        top, bottom = (round(y / self._page.height * down) for y in (self._box.top, self._box.top + self._box.height))
        picture = self._pixels(place)
        rows = np.arange(bottom - top) * picture.shape[0] // (bottom - top)
        columns = np.arange(right - left) * picture.shape[1] // (right - left)
        shown = picture[rows[:, None], columns[None]]
        edge = max(1, round(0.6 * self._page.figure.dpi / 72 * self._page.scale))
        frame[top + edge : bottom - edge, left + edge : right - edge] = shown[edge:-edge, edge:-edge]


@final
class BarsMover(Mover):
    """The bars of the adversarial image's probabilities with their percentages."""

    def __init__(self, entries: Sequence[Entry], probabilities: Sequence[Array]) -> None:
        self._entries, self._probabilities = entries, probabilities
        self._bars: list[tuple[Any, Text]] = []

    def begin(self, page: Page) -> None:
        """Make a rectangle and a text for every class."""
        from matplotlib.patches import Rectangle

        self._page = page
        for entry in self._entries:
            box = entry.adversarial
            corner = (box.left / page.width, 1 - (box.top + 0.3 + box.height) / page.height)
            bar = Rectangle(corner, 0, box.height / page.height, transform=page.figure.transFigure, facecolor=ADVERSARIAL, edgecolor="none")
            page.figure.add_artist(bar)
            self._bars.append((bar, _text(page, box.left, box.top + 0.05)))

    def draw(self, place: int, renderer: Any) -> None:
        """Draw the bars as long as the probabilities are."""
        for entry, (bar, text) in zip(self._entries, self._bars, strict=True):
            p, box = float(self._probabilities[place][entry.index]), entry.adversarial
            bar.set_width(max(0.15, box.width * p) / self._page.width)
            bar.draw(renderer)
            text.set_x((box.left + box.width * p + 1) / self._page.width)
            _say(text, percent(p))
            text.draw(renderer)


@final
class LossMover(Mover):
    """A mark that moves along the curve of the loss."""

    def __init__(self, axes: Axes, points: Sequence[tuple[int, float]]) -> None:
        self._axes, self._points = axes, points

    def begin(self, page: Page) -> None:
        """Make the line and the dot, which have no place yet."""
        from matplotlib.lines import Line2D

        self._axes.set_autoscale_on(False)
        self._line = Line2D([], [], color=page.theme.ink, linewidth=0.8 * page.scale)
        self._dot = Line2D([], [], color=ADVERSARIAL, marker="o", markersize=4 * page.scale, markeredgecolor=page.theme.paper)
        for artist in (self._line, self._dot):
            self._axes.add_line(artist)

    def draw(self, place: int, renderer: Any) -> None:
        """Draw them at the step of the frame."""
        index, loss = self._points[place]
        self._line.set_data([index, index], list(self._axes.get_ylim()))
        self._dot.set_data([index], [loss])
        for artist in (self._line, self._dot):
            artist.draw(renderer)


def colours_of(values: Array, limit: float) -> Pixels:
    """Return signed values ``(H, W)`` in the diverging colours of figures, on the scale from -limit to limit."""
    from matplotlib import colormaps

    table = (colormaps["RdBu_r"](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
    painted: Pixels = table[(np.clip(values / limit, -1, 1) * 127.5 + 127.5).round().astype(np.uint8)]
    return painted


def pixels_of(image: Array) -> Pixels:
    """Return an image ``(C, H, W)`` in [0, 1] as ``(H, W, 3)`` uint8; the first of other numbers of channels is grey."""
    shown = image if len(image) == 3 else np.repeat(image[:1], 3, 0)
    pixels: Pixels = np.ascontiguousarray((np.clip(shown, 0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0))
    return pixels


def _text(page: Page, left: float, top: float) -> Text:
    return page.figure.text(left / page.width, 1 - top / page.height, "", va="top", ha="left", size=SIZE * page.scale, color=page.theme.ink)


def _say(text: Text, words: str) -> None:
    shown = drawable(words)
    if text.get_text() != shown:
        text.set_text(shown)
        text.set_fontfamily(list(families_for(shown)))
