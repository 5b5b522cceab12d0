"""Colour shift: what printing, light and camera made of the chart's known colours, and its removal from an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import GibbonError
from engine.images.homography import ORDER, Corners
from engine.images.photograph import Photograph
from engine.images.rectifying import rectified
from engine.printing.chart import Chart, Patch

_PER_MM = 4
"""Pixels a mm at which the chart is read."""
_INNER = 0.2
"""Share of a patch's side that is left out at each edge, where its neighbour may shine in."""
LEAST_CORRELATION = 0.9
"""Least mean correlation of the three channels with the chart's known values; below it, it is not the chart that is seen."""
_MARGIN = 0.05
"""By how much more another order of the corners must correlate to be named."""
_CLIPPED = (1.5 / 255, 253.5 / 255)
"""Measured values outside of this range may be cut off by the camera, and tell nothing of gain and offset."""
_LEAST_PATCHES = 4
_LEAST_GAIN = 0.05


@dataclass(frozen=True, eq=False)
class ColourShift:
    """The shift of each channel: ``photographed = gain * known + offset`` on sRGB values in [0, 1], by least squares over the patches.

    Colour differences are those of CIE 1976: ``Delta E = ||LAB(a) - LAB(b)||_2`` in CIE LAB under D65.
    """

    patches: tuple[Patch, ...]
    known: Tensor
    """Values as they were printed, ``(P, 3)``."""
    measured: Tensor
    """Values in the photograph, ``(P, 3)``: the median of the inner part of each patch."""
    gain: Tensor
    """Factor of each channel, ``(3,)``."""
    offset: Tensor
    """Summand of each channel, ``(3,)``."""
    residual: Tensor
    """Error of the fit, ``(3,)``: root mean square of ``measured - (gain * known + offset)`` over the patches that were fitted."""
    correlation: float
    """Mean over the channels of the correlation of measured and known values."""

    @property
    def clipped(self) -> int:
        """The number of values that were left out of the fit, since the camera may have cut them off."""
        return int((~_within_range(self.measured)).sum())

    @property
    def delta_e(self) -> Tensor:
        """The colour difference of each patch between its known value and the photograph, ``(P,)``."""
        return delta_e(self.known, self.measured)

    @property
    def delta_e_corrected(self) -> Tensor:
        """The colour difference of each patch that is left after the correction, ``(P,)``."""
        return delta_e(self.known, self.corrected(self.measured.T[:, :, None])[:, :, 0].T)

    def corrected(self, image: Tensor) -> Tensor:
        """Return an image ``(3, H, W)`` without the shift: ``clamp((image - offset) / gain, 0, 1)``."""
        return ((image - self.offset.to(image)[:, None, None]) / self.gain.to(image)[:, None, None]).clamp(0, 1)

    def json(self) -> dict[str, Any]:
        """Return the numbers as plain values."""
        before, after = self.delta_e, self.delta_e_corrected
        return {
            "gain": _rounded(self.gain),
            "offset": _rounded(self.offset),
            "residual": _rounded(self.residual),
            "correlation": round(self.correlation, 4),
            "delta_e": round(float(before.mean()), 3),
            "delta_e_largest": round(float(before.max()), 3),
            "delta_e_corrected": round(float(after.mean()), 3),
            "values_left_out": self.clipped,
            "patches": [
                {"name": patch.name, "known": _rounded(known), "measured": _rounded(measured), "delta_e": round(float(difference), 3)}
                for patch, known, measured, difference in zip(self.patches, self.known, self.measured, before, strict=True)
            ],
        }

    def sentence(self) -> str:
        """Return the shift and the colour differences in words."""
        gains, offsets = (
            ", ".join(f"{float(value):{form}}" for value in values) for values, form in ((self.gain, ".2f"), (self.offset, "+.2f"))
        )
        return (
            f"Colour shift on the chart (red, green, blue): gain {gains}, offset {offsets}; mean ΔE {float(self.delta_e.mean()):.1f}, "
            f"{float(self.delta_e_corrected.mean()):.1f} after the correction."
        )


def measure(photograph: Photograph, corners: Corners, chart: Chart) -> ColourShift:
    """Measure the colour shift on the chart in a photograph.

    Parameters
    ----------
    photograph
        The photograph, in colour.
    corners
        The outer corners of the chart's frame, checked by `engine.images.homography.checked_corners`.
    chart
        The chart that was printed.

    Raises
    ------
    GibbonError
        The photograph is grey, what is between the corners is not the chart or is turned, or a channel does not follow the chart.
    """
    if photograph.grey:
        raise GibbonError(f"“{photograph.name}” is grey, so no colour shift can be measured on it. Leave the chart's corners out.")
    measured = patch_values(photograph, corners, chart)
    known = chart.values
    correlation = _correlation(measured, known)
    if correlation < LEAST_CORRELATION:
        raise GibbonError(_mismatch(photograph, corners, chart, correlation))
    gain, offset, residual = _fitted(known, measured)
    return ColourShift(chart.patches, known, measured, gain, offset, residual, correlation)


def patch_values(photograph: Photograph, corners: Corners, chart: Chart) -> Tensor:
    """Return the median colour of the inner part of each patch in a photograph, ``(P, 3)`` in [0, 1]."""
    height, width = round(chart.height * _PER_MM), round(chart.width * _PER_MM)
    seen = rectified(photograph, corners, height, width).double()
    across, down = width / chart.width, height / chart.height
    values = []
    for _, box in chart.boxes():
        left, right = ((box.left + share * box.width) * across for share in (_INNER, 1 - _INNER))
        top, bottom = ((box.top + share * box.height) * down for share in (_INNER, 1 - _INNER))
        inner = seen[:, round(top) : round(bottom), round(left) : round(right)]
        values.append(inner.flatten(1).median(1).values)
    return torch.stack(values)


def delta_e(a: Tensor, b: Tensor) -> Tensor:
    """Return the CIE 1976 colour difference of sRGB colours ``(P, 3)`` in [0, 1], ``(P,)``."""
    from skimage.color import rgb2lab

    first, second = (rgb2lab(colours.double().clamp(0, 1).numpy()[None]) for colours in (a, b))
    found: NDArray[Any] = np.linalg.norm(first[0] - second[0], axis=1)
    return torch.from_numpy(found)


def _fitted(known: Tensor, measured: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return gain, offset and residual of each channel, over the values that the camera did not cut off."""
    lines = [_line(known[:, channel], measured[:, channel], name) for channel, name in enumerate(("red", "green", "blue"))]
    gain, offset, residual = (torch.stack(part) for part in zip(*lines, strict=True))
    return gain, offset, residual


def _line(known: Tensor, measured: Tensor, name: str) -> tuple[Tensor, Tensor, Tensor]:
    kept = _within_range(measured)
    x, y = known[kept], measured[kept]
    spread = x - x.mean() if len(x) else x
    if len(x) < _LEAST_PATCHES or float((spread**2).sum()) < 1e-6:
        raise GibbonError(
            f"Nearly all {name} values of the chart are cut off in the photograph. Take one that is neither too bright nor too dark."
        )
    gain = (spread * (y - y.mean())).sum() / (spread**2).sum()
    if float(gain) < _LEAST_GAIN:
        raise GibbonError(
            f"The {name} channel of the photograph does not follow the chart, so the shift cannot be removed. Use another light."
        )
    offset = y.mean() - gain * x.mean()
    return gain, offset, (y - gain * x - offset).square().mean().sqrt()


def _within_range(values: Tensor) -> Tensor:
    low, high = _CLIPPED
    return (values > low) & (values < high)


def _correlation(measured: Tensor, known: Tensor) -> float:
    """Return the mean of the channels' correlations; a channel without any spread counts as 0."""
    a, b = measured - measured.mean(0), known - known.mean(0)
    scale = (a.square().sum(0) * b.square().sum(0)).sqrt()
    return float(torch.where(scale > 1e-9, (a * b).sum(0) / scale.clamp_min(1e-9), 0.0).mean())


def _mismatch(photograph: Photograph, corners: Corners, chart: Chart, correlation: float) -> str:
    """Return why the chart does not fit: its corners are in another order, or it is something else."""
    for turns in (1, 2, 3):
        a, b, c, d = (*corners[turns:], *corners[:turns])
        other = _correlation(patch_values(photograph, (a, b, c, d), chart), chart.values)
        if other >= max(LEAST_CORRELATION, correlation + _MARGIN):
            return (
                f"The chart's corners are in another order: its {ORDER[0]} corner, where the greys begin with black, is your "
                f"{ORDER[turns]} one. Give them again from there, clockwise."
            )
    return (
        f"Between the chart's corners is not the chart: its colours correlate by {correlation:.2f} with the printed ones, and "
        f"{LEAST_CORRELATION:g} is needed. Set the outer corners of its black frame, and name the record if it was printed with a palette."
    )


def _rounded(values: Tensor) -> list[float]:
    return [round(float(value), 4) for value in values]
