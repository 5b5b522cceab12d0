"""The record of one run of a study, with which it is replayed or written as a script."""

from __future__ import annotations

from engine.errors import GibbonError
from engine.record import record_of_scene
from engine.record.schema import Record
from engine.study.values import StudyRun


def record_of_run(run: StudyRun, *, files: bool = True) -> Record:
    """Return the record of an attack of a study, with paths from the present folder.

    Parameters
    ----------
    run
        The run.
    files
        Whether the record names the image's file where that is still there. Else it holds the pixels, as the study does.

    Raises
    ------
    GibbonError
        The run is no attack.
    """
    result = run.attack
    if result is None or run.clean is None:
        raise GibbonError("It is no attack on an image.")
    inputs = run.inputs
    return record_of_scene(
        result,
        run.clean,
        image=run.image if files else {},
        stickers=run.before,
        region=inputs.region,
        begin=inputs.start,
        mask=inputs.mask,
        first_row=inputs.row,
    )
