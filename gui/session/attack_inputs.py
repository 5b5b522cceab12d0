"""AttackInputs: what an attack gets beside the image. Frozen when it starts; its outcome is remembered together with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gui.session.data_choice import Choice
    from gui.session.state import Region


@dataclass(frozen=True, eq=False)
class AttackInputs:
    """What a person has set up around the attack's own parameters."""

    region: Region = "image"
    """Where pixels may change."""
    label: int | None = None
    target: int | None = None
    seed: int = 0
    data: Choice | None = None
    """The images that it works on."""
    begin: Tensor | None = None
    """``(C, H, W)``: where to begin."""
