"""Standard training: the cross-entropy, and nothing beside it."""

from __future__ import annotations

from typing import ClassVar

from engine.defenses.objectives.objective import Family, Objective


class Standard(Objective):
    """The mean cross-entropy of the batch, and nothing else: what every other recipe is compared with."""

    slug: ClassVar[str] = "standard"
    title: ClassVar[str] = "Standard"
    family: ClassVar[Family] = "Targets"
