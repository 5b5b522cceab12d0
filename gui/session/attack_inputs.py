"""AttackInputs: the inputs of an attack beside the image and its parameters. They are fixed at its start and kept with its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.session.defense import Steps

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack
    from gui.session.data_choice import Choice
    from gui.session.state import Region


@dataclass(frozen=True, eq=False)
class AttackInputs:
    """Region, labels, seed, data and start image of an attack."""

    region: Region = "image"
    """Where pixels may change."""
    label: int | None = None
    target: int | None = None
    seed: int = 0
    data: Choice | None = None
    """The data set that the attack works on, for attacks on many images."""
    begin: Tensor | None = None
    """``(C, H, W)``: the image that the attack begins at."""
    begin_name: str = ""
    begin_prediction: int | None = None
    """The class that the classifier predicted for ``begin``; None if that is not known."""
    planned: Attack | None = None
    """The attack that the user planned, where the run continued it at stickers that were moved; else None."""
    defense: Steps = ()
    """The preprocessing through which the attack went, since its attacker knew it; empty for one who did not, or without a defense."""
    mask: Tensor | None = None
    """``(1, H, W)``: the mask of a replayed record; None where it follows from the region and the stickers."""
    row: int = 0
    """The number of the image in its run, of which a replayed record's random numbers depend."""
