"""Values of any kind as 8-bit levels, and what had to be done to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import GibbonError

Pixels = npt.NDArray[np.uint8]


def eight_bit(values: npt.NDArray[Any], name: str) -> tuple[Pixels, str | None]:
    """``values`` as 8-bit levels, with a note where they were something else.

    Raises
    ------
    GibbonError
        They hold NaN or infinities, or are no numbers.
    """
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values), None
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), "1 bit expanded to 8"
    if values.dtype.kind in "ui":
        return _from_integers(values)
    if values.dtype.kind == "f":
        return _from_floats(values, name)
    raise GibbonError(f"“{name}” holds {values.dtype}, not brightness. Give 8-bit, 16-bit or float values.")


def _from_integers(values: npt.NDArray[Any]) -> tuple[Pixels, str]:
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high <= 65535:
        # The full scale of 16 bits, not the image's own range: a dark image stays dark.
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8), "16 bit reduced to 8"
    return _stretched(values, low, high), f"{8 * values.dtype.itemsize} bit integers scaled from their range {low} to {high}"


def _from_floats(values: npt.NDArray[Any], name: str) -> tuple[Pixels, str]:
    if not np.isfinite(values).all():
        raise GibbonError(f"“{name}” holds NaN or infinite values. Replace them where the image was made.")
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return (values * 255).round().astype(np.uint8), "float values 0 to 1 reduced to 8 bit"
    if low >= 0 and high <= 255:
        return values.round().astype(np.uint8), "float values 0 to 255 reduced to 8 bit"
    return _stretched(values, low, high), f"float values scaled from their range {low:.3g} to {high:.3g}"


def _stretched(values: npt.NDArray[Any], low: float, high: float) -> Pixels:
    spread = (values.astype(np.float64) - low) / max(high - low, np.finfo(np.float64).tiny)
    return (spread * 255).round().astype(np.uint8)
