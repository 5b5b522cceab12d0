"""AttackInputs: the inputs of an attack beside the image and its parameters. They are fixed at its start and kept with its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

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
