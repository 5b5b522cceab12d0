"""Panels of a figure, as frozen values that compute their size and draw themselves."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from engine.figures.page import Box, Page
from engine.figures.style import LINE_MM, number, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float32]
_SMOOTH_PIXELS = 640
"""Images are enlarged to at least this many pixels before they are embedded, since some viewers blur small ones."""


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
        show_pixels(page, box, image, self.frame, cmap="gray", vmin=0.0, vmax=1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class MapPanel(FigurePanel):
    """A map with one value per pixel under a colour map, with the scale and its printed limits below."""

    values: Array
    """The values, ``(H, W)``."""
    low: float
    high: float
    extent: tuple[float, float] | None = None
    """The smallest and the largest value of all maps on this scale, so that the ends are marked alike; None: those of this map."""
    colours: ClassVar[str]
    picture: ClassVar[bool] = True

    def limits(self) -> tuple[str, str]:
        """Texts at the ends of the scale, which mark that values exceed them."""
        least, most = self.extent or (float(self.values.min()), float(self.values.max()))
        below, above = least < self.low - 1e-6 * self.high, most > self.high * (1 + 1e-6)
        low, high = self.ends()
        return f"≤ {low}" if below else low, f"≥ {high}" if above else high

    def ends(self) -> tuple[str, str]:
        """Format the two limits of the scale, whatever the values are."""
        return number(self.low), number(self.high)

    def height(self, width: float) -> float:
        """Return the height that keeps the proportions of the map."""
        return width * float(self.values.shape[-2] / self.values.shape[-1])

    def foot(self, width: float) -> float:
        """Return the height of the scale, in mm."""
        return LINE_MM + 0.9

    def draw(self, page: Page, box: Box) -> None:
        """Draw the map, and its scale between its two limits."""
        show_pixels(page, box, self.values, None, cmap=self.colours, vmin=self.low, vmax=self.high)
        draw_scale(page, box, self.colours, self.limits())


@dataclass(frozen=True, eq=False, kw_only=True)
class SignedMapPanel(MapPanel):
    """A map whose values have a sign, such as the perturbation, on a diverging scale centred on zero."""

    colours: ClassVar[str] = "RdBu_r"

    def __post_init__(self) -> None:
        assert self.low == -self.high, "a diverging scale is centred on zero"

    def ends(self) -> tuple[str, str]:
        """Format the two limits of the scale, both with their sign."""
        return number(self.low), f"+{number(self.high)}"


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ColourMapPanel(FigurePanel):
    """Signed values of three channels as colours around middle grey; the scale below is that of every channel."""

    values: Array
    """The values, ``(3, H, W)``."""
    limit: float
    """The magnitude that is shown as no or full intensity of a channel."""
    picture: ClassVar[bool] = True

    @property
    def image(self) -> Array:
        """The colours, ``(3, H, W)`` in [0, 1]."""
        shown: Array = np.clip(0.5 + self.values / (2 * self.limit), 0, 1)
        return shown

    def height(self, width: float) -> float:
        """Return the height that keeps the proportions of the map."""
        return width * float(self.values.shape[-2] / self.values.shape[-1])

    def foot(self, width: float) -> float:
        """Return the height of the scale, in mm."""
        return LINE_MM + 0.9

    def draw(self, page: Page, box: Box) -> None:
        """Draw the colours, and the scale of their channels."""
        show_pixels(page, box, self.image.transpose(1, 2, 0), None)
        below, above = float(self.values.min()) < -self.limit * (1 + 1e-6), float(self.values.max()) > self.limit * (1 + 1e-6)
        low, high = f"−{number(self.limit)}", f"+{number(self.limit)}"
        draw_scale(page, box, "gray", (f"≤ {low}" if below else low, f"≥ {high}" if above else high))


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class SaliencyPanel(MapPanel):
    """A map with values from zero upwards; clean and adversarial share their limits."""

    colours: ClassVar[str] = "magma"


def draw_scale(page: Page, box: Box, colours: str, limits: tuple[str, str]) -> None:
    """Draw a bar of colours below ``box``, between the texts of its two limits."""
    low, high = limits
    left, right = text_width(low) + 1, text_width(high) + 1
    line = box.below(0.9, LINE_MM)
    page.text(line.left, line.top, low)
    page.text(line.left + line.width, line.top, high, ha="right")
    bar = page.axes(Box(line.left + left, line.top + 0.5, max(2.0, line.width - left - right), 1.7))
    bar.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=colours, interpolation="none")
    _frame(bar, page.theme.faint, 0.4 * page.scale)


def enlargement(height: int, width: int) -> int:
    """Return how many times each pixel of an image is repeated in a figure, along each side."""
    return max(1, math.ceil(_SMOOTH_PIXELS / max(height, width)))


def show_pixels(page: Page, box: Box, image: Array, frame: str | None, **kwargs: Any) -> None:
    """Draw an image ``(H, W)`` or ``(H, W, 3)`` pixel by pixel, with a frame of that colour; None: a faint one."""
    times = enlargement(image.shape[0], image.shape[1])
    enlarged = image.repeat(times, axis=0).repeat(times, axis=1)
    axes = page.axes(box)
    axes.imshow(enlarged, interpolation="none", aspect="auto", **kwargs)
    _frame(axes, frame or page.theme.faint, (0.9 if frame else 0.4) * page.scale)


def _frame(axes: Axes, colour: str, width: float) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=width)
