"""Conversion of values of any type to 8-bit levels, with a note on how it was done."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import GibbonError

Pixels = npt.NDArray[np.uint8]
SLACK = 1e-3
"""Share of the scale by which floats may exceed it, as after filters and resizing; they are clipped."""
_DIM = 8
"""Level below which floats above 1 have no recognisable scale: 0 to 1 with overshoot, or an almost black 0 to 255."""


def eight_bit(values: npt.NDArray[Any], name: str, *, stretch: bool = True, white: int | None = None) -> tuple[Pixels, str | None]:
    """Convert ``values`` to 8-bit levels, with a note where they had another scale.

    Parameters
    ----------
    values
        Brightness of any type.
    name
        Name of the values in an error message.
    stretch
        Whether values without a recognisable scale are stretched from their own range; otherwise they are refused.
    white
        The value of white, where the file's format defines it. None: that of `scale_of`.

    Raises
    ------
    GibbonError
        The values hold NaN or infinities, are no numbers, or have no scale of pixels while ``stretch`` is off.
    """
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values), None
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), "1 bit expanded to 8"
    if values.dtype.kind not in "uif":
        raise GibbonError(f"“{name}” holds {values.dtype}, not brightness. Give 8-bit, 16-bit or float values.")
    kind = _kind(values, name)
    scale = white or scale_of(values)
    if scale is not None:
        return _levels(values, scale), f"{kind} {'values ' if values.dtype.kind == 'f' else ''}{_reading(values, scale)}"
    low, high = values.min(), values.max()
    if not stretch:
        raise GibbonError(
            f"“{name}” holds values from {low:.4g} to {high:.4g}, but pixels reach from 0 to 1 or from 0 to 255. "
            "Undo the normalisation, or scale them first."
        )
    return _stretched(values, float(low), float(high)), f"{kind} values scaled from their range {low:.4g} to {high:.4g}"


def scale_of(values: npt.NDArray[Any]) -> int | None:
    """Infer the value of white from type and extremes: 1, 255 or 65535; None where that is impossible.

    Floats range from 0 to 1 or from 0 to 255. Integers of 16 bits range to 65535; wider ones to 255 where none is above, else to 65535.
    """
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        fitting = [scale for scale in (1, 255) if low >= -SLACK * scale and high <= scale * (1 + SLACK)]
        return None if not fitting or (fitting[0] == 255 and high < _DIM) else fitting[0]
    if low < 0 or high > 65535:
        return None
    # Sixteen bits always use their full scale, so that a dark image stays dark. Wider integers may have any scale.
    return 255 if values.dtype.itemsize == 1 or (values.dtype.itemsize > 2 and high <= 255) else 65535


def _kind(values: npt.NDArray[Any], name: str) -> str:
    if values.dtype.kind != "f":
        return f"{8 * values.dtype.itemsize} bit"
    if not np.isfinite(values).all():
        raise GibbonError(f"“{name}” holds NaN or infinite values. Replace them where the image was made.")
    return "float"


def _reading(values: npt.NDArray[Any], scale: int) -> str:
    if values.dtype.kind == "f":
        return f"0 to {scale} reduced to 8 bit"
    return "reduced to 8" if scale == 65535 else "integers 0 to 255 taken as 8 bit"


def _levels(values: npt.NDArray[Any], scale: int) -> Pixels:
    if values.dtype.kind == "f":
        values = values.astype(np.float32) if values.dtype.itemsize < 4 else values  # half precision cannot hold half a level
        levels: Pixels = (np.clip(values, 0, scale) * (255 / scale)).round().astype(np.uint8)
        return levels
    if scale == 65535:
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return values.astype(np.uint8)


def _stretched(values: npt.NDArray[Any], low: float, high: float) -> Pixels:
    spread = (values.astype(np.float64) - low) / max(high - low, np.finfo(np.float64).tiny)
    return (spread * 255).round().astype(np.uint8)
