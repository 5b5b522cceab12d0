"""Figure of a photograph of a print: original, photograph, rectified and colour-corrected image, and the bars of their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from torch import Tensor

from engine.figures import FigurePanel, ImagePanel, compose
from engine.figures.fonts import Font
from engine.figures.page import Box, Key, Page, draw_key, key_height
from engine.figures.panels import Array
from engine.figures.style import ADVERSARIAL, CLEAN, LABEL, LINE_MM, SIZE, TARGET, percent, text_width, wrap
from engine.images.homography import Corners
from engine.printing.photo import PhotoReading, Seen

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CORRECTED = "#56B4E9"
"""Another of Okabe and Ito's colours."""
_BAR_MM, _PITCH_MM, _GAP_MM = 2.0, 2.7, 1.3
_THUMBNAIL = 480
"""Most pixels of a side of the photograph in the figure."""


@dataclass(frozen=True, eq=False)
class Bars:
    """The probabilities of one image, with its name and its colour."""

    name: str
    colour: str
    values: Array
    """Probabilities of the classes, ``(K,)``."""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ImagesBarsPanel(FigurePanel):
    """Probabilities of the most likely classes of several images, a bar for each."""

    names: Sequence[str]
    """Names of all K classes."""
    images: tuple[Bars, ...]
    label: int | None = None
    target: int | None = None
    top: int = 3
    stretches: ClassVar[bool] = True
    least_mm: ClassVar[float] = 30.0

    def classes(self) -> list[int]:
        """Return the shown classes, the most likely on any image first; label and target are among them."""
        best = np.max([image.values for image in self.images], axis=0)
        wanted = {index for index in (self.label, self.target) if index is not None}
        order = sorted(range(len(best)), key=lambda index: -best[index])
        count = min(len(order), max(self.top, len(wanted)))
        rest = [index for index in order if index not in wanted][: count - len(wanted)]
        return [index for index in order if index in wanted or index in rest]

    def height(self, width: float) -> float:
        """Return the height of name and bars of each class, in mm."""
        return sum(LINE_MM * len(self._lines(index, width)) + _PITCH_MM * len(self.images) + _GAP_MM for index in self.classes()) - _GAP_MM

    def foot(self, width: float) -> float:
        """Return the height of the key, in mm."""
        return key_height(self._key(), width)

    def draw(self, page: Page, box: Box) -> None:
        """Draw the name of each class, marked where it is the label or the target, and the bars below it."""
        top = box.top
        longest = box.width - max(text_width(text) for text in ("100.0 %", "> 99.9 %", "< 0.1 %")) - 1
        for index in self.classes():
            lines, marks = self._lines(index, box.width), self._marks(index)
            for place, colour in enumerate(marks):
                page.swatch(Box(box.left + 2.2 * place, top + 0.5, 1.6, 1.6), colour, round_=True)
            for row, line in enumerate(lines):
                page.text(box.left + (2.3 * len(marks) if row == 0 else 0), top + row * LINE_MM, line)
            top += LINE_MM * len(lines)
            for image in self.images:
                p = float(image.values[index])
                page.swatch(Box(box.left, top + 0.3, max(0.15, longest * p), _BAR_MM), image.colour)
                page.text(box.left + longest * p + 1, top + 0.05, percent(p))
                top += _PITCH_MM
            top += _GAP_MM
        draw_key(page, box, self._key())

    def _marks(self, index: int) -> list[str]:
        return [colour for place, colour in ((self.label, LABEL), (self.target, TARGET)) if place == index]

    def _lines(self, index: int, width: float) -> list[str]:
        return wrap(self.names[index], width - 2.3 * len(self._marks(index)))

    def _key(self) -> list[Key]:
        marks = [
            Key(text, colour, True)
            for place, text, colour in ((self.label, "label", LABEL), (self.target, "target", TARGET))
            if place is not None
        ]
        return [*(Key(image.name, image.colour) for image in self.images), *marks]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class PhotographPanel(FigurePanel):
    """The photograph with the frames that were set on it."""

    image: ImagePanel
    frames: tuple[tuple[Corners, str], ...]
    """Corners as shares of the photograph's width and height, each with its colour."""
    picture: ClassVar[bool] = True

    def height(self, width: float) -> float:
        """Return the height that keeps the proportions of the photograph."""
        return self.image.height(width)

    def draw(self, page: Page, box: Box) -> None:
        """Draw the photograph, and the frames on it."""
        self.image.draw(page, box)
        axes = page.axes(box)
        axes.set(xlim=(0, 1), ylim=(1, 0))
        axes.set_axis_off()
        for corners, colour in self.frames:
            closed = (*corners, corners[0])
            axes.plot([x for x, _ in closed], [y for _, y in closed], color=colour, linewidth=0.8 * page.scale, solid_joinstyle="miter")


def photo_figure(
    reading: PhotoReading, *, width_mm: float = 174.0, top: int = 3, dark: bool = False, font: Font = "sans", size: float = SIZE
) -> Figure:
    """Compose the figure of a reading; width, font and size are those of `engine.figures.compose`."""
    images = [("original", "digital", CLEAN, reading.original), ("rectified", "photographed", ADVERSARIAL, reading.rectified)]
    images.append(("colour-corrected", "corrected", _CORRECTED, reading.corrected))
    shown = [(title, name, colour, seen) for title, name, colour, seen in images if seen is not None]
    panels: list[FigurePanel] = [_photograph(reading)]
    panels += [
        ImagePanel(title=title, image=_array(seen.image), frame=colour, caption=_caption(reading, seen)) for title, _, colour, seen in shown
    ]
    bars = tuple(Bars(name, colour, _array(seen.probabilities)) for _, name, colour, seen in shown)
    panels.append(
        ImagesBarsPanel(
            title="prediction", names=reading.classifier.labels, images=bars, label=reading.label, target=reading.target, top=top
        )
    )
    return compose(panels, width_mm=width_mm, dark=dark, font=font, size=size, note=_note(reading))


def _photograph(reading: PhotoReading) -> PhotographPanel:
    from PIL import Image

    width, height = reading.photograph.size
    picture = Image.fromarray(np.ascontiguousarray(reading.photograph.pixels)).convert("RGB")
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
    image: Array = (np.asarray(picture, np.float32) / np.float32(255)).transpose(2, 0, 1)
    frames = [(reading.corners, ADVERSARIAL)]
    if reading.chart_corners is not None:
        frames.append((reading.chart_corners, _CORRECTED))
    return PhotographPanel(
        title="photograph",
        image=ImagePanel(title="", image=image),
        frames=tuple((_shares(corners, width, height), colour) for corners, colour in frames),
    )


def _shares(corners: Corners, width: int, height: int) -> Corners:
    a, b, c, d = ((x / width, y / height) for x, y in corners)
    return a, b, c, d


def _caption(reading: PhotoReading, seen: Seen) -> str:
    return f"{reading.classifier.labels[seen.prediction]}, {percent(float(seen.probabilities[seen.prediction]))}"


def _note(reading: PhotoReading) -> str:
    shift = "" if reading.shift is None else f" {reading.shift.sentence()}"
    match = "" if reading.match is None else f" Correlation of photograph and original: {reading.match:.2f}."
    return f"Model: {reading.classifier.name}.{shift}{match}"


def _array(values: Tensor) -> Array:
    made: Array = values.detach().cpu().float().numpy()
    return made
