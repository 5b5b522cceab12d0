"""Reduction of the channels of a perturbation to maps, and their scale. It imports no torch, since the window draws with it early."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.perturbation_view import View

Values = np.ndarray[Any, Any]
_ROOM = 2.0
"""Room above the largest change where colours are shown around grey: at full intensity they would be the same few glaring ones."""
_UNCHANGED = 1 / 255
"""End of the scale of an image that nothing changed: a scale needs a width."""


def strongest_channel(values: Values) -> Values:
    """Reduce ``(C, H, W)`` to ``(H, W)``: at every pixel the value of largest magnitude, with its sign; the first channel among equals."""
    chosen: Values = np.take_along_axis(values, np.abs(values).argmax(0)[None], 0)[0]
    return chosen


def view_of(channels: int, view: View) -> View:
    """Return the view in which an image of that many channels is shown: one channel has one view, and only three make a colour."""
    if channels == 1:
        return "mean"
    return "strongest" if view == "colour" and channels != 3 else view


def maps_of(values: Values, view: View) -> list[Values]:
    """Return the maps ``(H, W)`` of a perturbation ``(C, H, W)`` in a view; all channels for ``channels`` and ``colour``."""
    view = view_of(len(values), view)
    if view in ("channels", "colour"):
        return list(values)
    return [values.mean(0) if view == "mean" else strongest_channel(values)]


def limit_of(values: Values, view: View, gain: float | None = None) -> float:
    """Return the end of a perturbation's scale: ``1 / gain``; without a gain it follows the largest magnitude in the view."""
    if gain is not None:
        return 1 / gain
    finite = [one[np.isfinite(one)] for one in maps_of(values, view)]
    largest = max((float(np.abs(one).max()) for one in finite if one.size), default=0.0) or _UNCHANGED
    return _ROOM * largest if view_of(len(values), view) == "colour" else largest


def beyond(maps: list[Values], limit: float) -> float:
    """Return the share of values whose magnitude exceeds the scale."""
    return float(np.mean([np.abs(one) > limit * (1 + 1e-6) for one in maps]))


def at_the_end(maps: list[Values], limit: float) -> float:
    """Return the share of values within 2 % of an end of the scale, which all have the colour of that end."""
    return float(np.mean([(np.abs(one) >= 0.98 * limit) & (np.abs(one) <= limit * (1 + 1e-6)) for one in maps]))


def channel_names(channels: int) -> tuple[str, ...]:
    """Return the names of the channels in small letters."""
    return ("red", "green", "blue") if channels == 3 else tuple(f"channel {place + 1}" for place in range(channels))
