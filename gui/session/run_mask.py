"""The mask of a finished run, which records, figures and the control of transfers need. Called in the engine thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gui.session.history import AttackRun


def mask_of(entry: AttackRun) -> Tensor | None:
    """Return the mask ``(1, H, W)`` of the pixels that the run could change; None for all pixels."""
    from engine.record import mask_of_scene

    if entry.inputs.mask is not None:
        return entry.inputs.mask
    return mask_of_scene(entry.result.operation, entry.before.clean, entry.before.stickers, entry.inputs.region)
