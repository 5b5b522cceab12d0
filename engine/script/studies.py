"""A study as a script: its attacks, one after the other."""

from __future__ import annotations

from engine.errors import GibbonError
from engine.record import record_of_scene
from engine.script.writing import Recorded, Script
from engine.study import Study, StudyRun, is_recorded


def study_as_python(study: Study, title: str = "A study, run again.") -> str:
    """Return a script that runs the attacks of a study again, in their order; what no script can do stands in it as a comment.

    Parameters
    ----------
    study
        The study. Runs that were removed are left out.
    title
        The first line of the script.

    Raises
    ------
    GibbonError
        The study has no run that a script can do.
    """
    script = Script()
    for run in study.runs:
        if run.id not in study.removed:
            _add(script, run)
    if not script.runs:
        raise GibbonError("The study has no attack that a script can run again. Run an attack first.")
    return script.text(title)


def _add(script: Script, run: StudyRun) -> None:
    try:
        script.add(recorded(run), f"{run.title}")
    except GibbonError as error:
        script.remark(f"{run.title} is left out. {error}")


def recorded(run: StudyRun) -> Recorded:
    """Return the record of a run of a study, with paths from the present folder.

    Raises
    ------
    GibbonError
        The run is no attack, or the model is not here, so that its source is unknown.
    """
    result = run.attack
    if result is None or run.clean is None:
        raise GibbonError("It is no attack on an image.")
    if is_recorded(result.classifier) and result.classifier.source is None:
        raise GibbonError(f"The model “{result.classifier.name}” is not here.")
    inputs = run.inputs
    record = record_of_scene(
        result,
        run.clean,
        image=run.image,
        stickers=run.before,
        region=inputs.region,
        begin=inputs.start,
        mask=inputs.mask,
        first_row=inputs.row,
    )
    return Recorded(record)
