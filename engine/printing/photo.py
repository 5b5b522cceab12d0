"""Reading of a photograph of a print: rectified by its corners, corrected by the chart, and shown to the classifier beside the original."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.images.homography import Corners, checked_corners
from engine.images.photograph import Photograph
from engine.images.rectifying import in_channels_of, rectified
from engine.printing.chart import Chart, chart_of
from engine.printing.colour_shift import ColourShift, measure
from engine.printing.matching import checked_match
from engine.text.formatting import format_probability

_TOP = 5
"""Number of classes in the JSON."""


@dataclass(frozen=True, eq=False)
class Seen:
    """An image and what the classifier says of it."""

    image: Tensor
    """``(C, H, W)`` in [0, 1] on the CPU, at the classifier's input size."""
    probabilities: Tensor
    """``(K,)`` on the CPU."""

    @property
    def prediction(self) -> int:
        """The class with the largest probability."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True, eq=False)
class PhotoReading:
    """The answers of a classifier on a print in a photograph, beside the digital original."""

    photograph: Photograph
    classifier: Classifier
    corners: Corners
    rectified: Seen
    """The photograph between its corners."""
    original: Seen | None = None
    """The digital image that was printed; None where none was given."""
    corrected: Seen | None = None
    """The rectified photograph without the colour shift; None without a chart."""
    shift: ColourShift | None = None
    chart_corners: Corners | None = None
    match: float | None = None
    """Correlation of the brightness of photograph and original."""
    label: int | None = None
    target: int | None = None
    remarks: tuple[str, ...] = ()

    def succeeds(self, seen: Seen) -> bool | None:
        """Return whether the attack holds on an image: the target is reached or, without one, the label left. None: no label is known."""
        if self.target is not None:
            return seen.prediction == self.target
        return None if self.label is None else seen.prediction != self.label

    def json(self) -> dict[str, Any]:
        """Return everything but pixels as plain values."""
        named = {"original": self.original, "photographed": self.rectified, "corrected": self.corrected}
        return {
            "photograph": self.photograph.name,
            "sha256": self.photograph.sha256,
            "corners": [list(point) for point in self.corners],
            "chart_corners": None if self.chart_corners is None else [list(point) for point in self.chart_corners],
            "model": {"name": self.classifier.name, "fingerprint": self.classifier.fingerprint},
            "label": self._class(self.label),
            "target": self._class(self.target),
            **{name: None if seen is None else self._seen(seen) for name, seen in named.items()},
            "match": None if self.match is None else round(self.match, 4),
            "shift": None if self.shift is None else self.shift.json(),
            "remarks": list(self.remarks),
        }

    def told(self) -> dict[str, Any]:
        """Return the part of a sidecar that is about this reading, for the record of the attack that was printed."""
        return {"kind": "photograph of a print", **self.json()}

    def content(self) -> dict[str, Any]:
        """Return the content of a sidecar where no attack is known."""
        told = self.told()
        return {"format": "gibbon-photo", "version": 1, "model": told["model"], "figure": told}

    def sentences(self) -> list[str]:
        """Return the predictions, whether the attack holds, the colour shift and the remarks, a sentence each."""
        named = (
            ("The digital image", self.original),
            ("The photograph", self.rectified),
            ("The colour-corrected photograph", self.corrected),
        )
        said = [f"{name} is read as {self._read(seen)}." for name, seen in named if seen is not None]
        if self.shift is not None:
            said.append(self.shift.sentence())
        return [*said, *self.remarks]

    def _read(self, seen: Seen) -> str:
        name, p = self.classifier.labels[seen.prediction], format_probability(float(seen.probabilities[seen.prediction]))
        holds = self.succeeds(seen)
        return f"“{name}” with {p}" + ("" if holds is None else ": the attack holds" if holds else ": the attack does not hold")

    def _seen(self, seen: Seen) -> dict[str, Any]:
        best = seen.probabilities.topk(min(_TOP, len(seen.probabilities)))
        top = [
            {"index": index, "name": self.classifier.labels[index], "probability": round(p, 6)}
            for p, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]
        return {"prediction": top[0], "top": top, "attack_holds": self.succeeds(seen)}

    def _class(self, index: int | None) -> dict[str, Any] | None:
        return None if index is None else {"index": index, "name": self.classifier.labels[index]}


def read_photo(
    photograph: Photograph,
    corners: Sequence[Sequence[float]],
    classifier: Classifier,
    *,
    original: Tensor | None = None,
    chart_corners: Sequence[Sequence[float]] | None = None,
    chart: Chart | None = None,
    label: int | None = None,
    target: int | None = None,
) -> PhotoReading:
    """Rectify a photograph of a print, ask the classifier, and do so again without the colour shift that the chart shows.

    Parameters
    ----------
    photograph
        The photograph, at its own size.
    corners
        Four corners ``(x, y)`` of the image's frame (of the sign, say) in pixels of the photograph: upper left, upper right, lower right,
        lower left.
    classifier
        The classifier that is asked.
    original
        ``(C, H, W)``: the digital image that was printed, with its stickers.
    chart_corners
        The outer corners of the colour chart's frame in the same photograph.
    chart
        The chart that was printed; None: that without a palette.
    label, target
        The true class and the class that the attack was to reach.

    Raises
    ------
    GibbonError
        Corners are no corners of a rectangle in the photograph, or what is between them is not the original or the chart.
    """
    channels, height, width = classifier.input_shape
    if channels not in (1, 3):
        raise GibbonError(f"“{classifier.name}” takes {channels} channels, but a photograph has 1 or 3.")
    frame = checked_corners(corners, photograph.size, "frame")
    chart_frame = None if chart_corners is None else checked_corners(chart_corners, photograph.size, "chart")
    colours = rectified(photograph, frame, height, width)
    seen = in_channels_of(colours, channels)
    found = None if original is None else checked_match(seen, original)
    shift = None if chart_frame is None else measure(photograph, chart_frame, chart or chart_of())
    images = [
        seen,
        *([] if original is None else [original]),
        *([] if shift is None else [in_channels_of(shift.corrected(colours), channels)]),
    ]
    answers = _asked(classifier, images)
    return PhotoReading(
        photograph,
        classifier,
        frame,
        rectified=answers[0],
        original=None if original is None else answers[1],
        corrected=None if shift is None else answers[-1],
        shift=shift,
        chart_corners=chart_frame,
        match=found,
        label=label,
        target=target,
        remarks=_remarks(frame, height, width, shift),
    )


@torch.no_grad()
def _asked(classifier: Classifier, images: Sequence[Tensor]) -> list[Seen]:
    """Return the classifier's answers on images, in one forward pass."""
    batch = torch.stack([image.detach().cpu().float() for image in images])
    probabilities = classifier(batch.to(classifier.device)).softmax(1).cpu()
    return [Seen(image, row) for image, row in zip(batch, probabilities, strict=True)]


def _remarks(corners: Corners, height: int, width: int, shift: ColourShift | None) -> tuple[str, ...]:
    found = []
    across, down = (max(pair) for pair in zip(*_sides(corners), strict=True))
    if across < width or down < height:
        found.append(
            f"The frame has {across:.0f} × {down:.0f} pixels in the photograph, fewer than the model's {width} × {height}, "
            "so it was enlarged."
        )
    if shift is not None and shift.clipped:
        found.append(f"{shift.clipped} values of the chart are at the end of the camera's range, and were left out of the fit.")
    return tuple(found)


def _sides(corners: Corners) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the lengths (across, down) of the upper and left, and of the lower and right side."""
    a, b, c, d = corners
    return (math.dist(a, b), math.dist(a, d)), (math.dist(d, c), math.dist(b, c))
