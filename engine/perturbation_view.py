"""PerturbationView: how a perturbation is shown, as a plain value. It imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

View = Literal["strongest", "mean", "channels", "colour"]
VIEWS: Mapping[View, str] = MappingProxyType(
    {"strongest": "Strongest channel", "mean": "Mean of channels", "channels": "Each channel", "colour": "RGB around grey"}
)
"""The views of the perturbation of a colour image with their titles. The first is the usual one."""


class PerturbationView(NamedTuple):
    """How the perturbation is shown, in the window and in figures."""

    channels: View = "strongest"
    gain: float | None = None
    """Factor by which it is amplified; None: the largest change is at the end of the scale."""


USUAL_VIEW = PerturbationView()
GAINS = (1, 2, 5, 10, 20, 50, 100)
"""The gains that the window offers beside the automatic one; a gain of 10 spreads the colours over changes from -0.1 to 0.1."""
