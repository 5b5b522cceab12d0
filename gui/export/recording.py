"""Records of finished runs, which the command line replays. Called in the engine thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.record import Record
    from gui.session.history import AttackRun


def record_of_entry(entry: AttackRun, folder: Path) -> Record:
    """Return the record of a run, with paths relative to ``folder``."""
    from engine.record import record_of_scene

    scene, inputs = entry.before, entry.inputs
    return record_of_scene(
        entry.result,
        scene.clean,
        image=entry.image,
        stickers=scene.stickers,
        region=inputs.region,
        begin=inputs.begin,
        mask=inputs.mask,
        first_row=inputs.row,
        folder=folder,
    )
