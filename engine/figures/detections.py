"""Figures of detections: images with their boxes, each with its class and score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from torch import Tensor

from engine.figures.compose import compose
from engine.figures.page import Box, Page
from engine.figures.panels import ImagePanel, enlargement
from engine.figures.style import ADVERSARIAL, CLEAN, LABEL, TARGET, percent
from engine.figures.subject import array
from engine.object_detection import Boxes, DetectorResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

MOST = 12
"""The most images that a figure of detections shows."""
_TEXT = 5.0
"""Size of the text at a box, in points."""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class BoxesPanel(ImagePanel):
    """An image with boxes; each is named by its class and score."""

    boxes: Boxes
    names: Sequence[str]
    colour: str
    marked: int | None = None
    """The class whose boxes have the colour of the target."""
    truths: Boxes | None = None
    """Boxes that are drawn dashed, in the colour of true labels, below the others."""
    picture: ClassVar[bool] = True

    def draw(self, page: Page, box: Box) -> None:
        """Draw the image, the true boxes dashed, and the boxes with their names."""
        super().draw(page, box)
        axes = page.figure.axes[-1]
        times = enlargement(self.image.shape[-2], self.image.shape[-1])
        if self.truths is not None:
            for sides in self.truths.xyxy.tolist():
                axes.add_patch(_rectangle(sides, times, LABEL, "--", page.scale))
        found = zip(self.boxes.xyxy.tolist(), self.boxes.labels.tolist(), self.boxes.scores.tolist(), strict=True)
        for sides, label, score in reversed(list(found)):  # the surest on top
            colour = TARGET if label == self.marked else self.colour
            axes.add_patch(_rectangle(sides, times, colour, "-", page.scale))
            axes.text(
                sides[0] * times,
                sides[1] * times,
                f"{self.names[label]} {percent(score)}",
                size=_TEXT * page.scale,
                color="white",
                va="top",
                clip_on=True,
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6 * page.scale, "alpha": 0.85},
            )


def detections_figure(
    images: Sequence[Tensor], found: Sequence[Boxes], names: Sequence[str], titles: Sequence[str], note: str = "", width_mm: float = 85.0
) -> Figure:
    """Return a figure of images, each ``(C, H, W)``, with the boxes found in them."""
    panels = [
        BoxesPanel(title=title, image=array(image), boxes=boxes, names=names, colour=CLEAN)
        for image, boxes, title in zip(images, found, titles, strict=True)
    ]
    return compose(panels, width_mm=width_mm, note=note)


def attack_figure(result: DetectorResult, titles: Sequence[str], least_score: float, most: int = 3, width_mm: float = 85.0) -> Figure:
    """Return a figure of an attack on a detector: the first images with their boxes before, and below them after.

    True boxes are dashed; boxes of a score below ``least_score`` are left out, and counted in the caption.
    """
    count = min(most, len(result.clean))
    panels = []
    for images, looks, colour, when in (
        (result.clean, result.before, CLEAN, "before"),
        (result.adversarial, result.after, ADVERSARIAL, "after"),
    ):
        for row in range(count):
            sure = looks[row].sure(least_score).to("cpu")
            fainter = len(looks[row]) - len(sure)
            panels.append(
                BoxesPanel(
                    title=f"{titles[row]}, {when}",
                    caption=f"{fainter} boxes below {percent(least_score)} left out" if fainter else "",
                    image=array(images[row]),
                    boxes=sure,
                    names=result.detector.labels,
                    colour=colour,
                    marked=result.target,
                    truths=result.truths[row].to("cpu"),
                )
            )
    toy = " (a toy)" if "toy" in result.detector.card else ""
    height, width = result.patch.shape[1:]
    said = f"{result.detector.name}{toy}, {result.operation.title} of {width} × {height} pixels, {len(result.clean)} images"
    return compose(panels, width_mm=width_mm, columns=count, note=f"{said}. {result.sentence} True boxes are dashed.")


def _rectangle(sides: Sequence[float], times: int, colour: str, line: str, scale: float) -> Rectangle:
    from matplotlib.patches import Rectangle

    left, top, right, bottom = (side * times - 0.5 for side in sides)
    return Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linestyle=line, linewidth=0.9 * scale)
