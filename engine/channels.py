"""Reduction of signed values to one channel. This file imports no torch: the window draws with it before the engine has loaded."""

from __future__ import annotations

from typing import Any

import numpy as np


def strongest_channel(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Reduce ``(C, H, W)`` to ``(H, W)``: at every pixel the value of largest magnitude, with its sign; the first channel among equals."""
    chosen: np.ndarray[Any, Any] = np.take_along_axis(values, np.abs(values).argmax(0)[None], 0)[0]
    return chosen
