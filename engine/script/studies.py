"""A study as a script: its attacks, one after the other."""

from __future__ import annotations

from pathlib import Path

from engine.errors import GibbonError
from engine.images import digest
from engine.script.literals import call, literal
from engine.script.writing import Held, Recorded, Script
from engine.study import Study, StudyRun, is_recorded
from engine.study.recording import record_of_run


def study_as_python(study: Study, title: str = "A study, run again.", *, file: Path | str | None = None, beside: bool = False) -> str:
    """Return a script that runs the attacks of a study again, in their order; what no script can do stands in it as a comment.

    Parameters
    ----------
    study
        The study. Runs that were removed are left out.
    title
        The first line of the script.
    file
        The file of the study, from which the script reads the images. None: the script names the files of the images, and holds the pixels
        of those whose file is gone.
    beside
        Whether that file will be in the folder of the script, which then finds it wherever both are moved.

    Raises
    ------
    GibbonError
        The study has no run that a script can do.
    """
    script, images = Script(), _Images(None if file is None else Path(file), beside)
    for run in study.runs:
        if run.id not in study.removed:
            _add(script, run, images)
    if not script.runs:
        raise GibbonError("The study has no attack that a script can run again. Run an attack first.")
    return script.text(title)


class _Images:
    """Where a script finds the images of a study: in its file, each under the first run that has it."""

    def __init__(self, file: Path | None, beside: bool) -> None:
        self._file, self._beside = file, beside
        self._known: dict[str, str] = {}

    def of(self, run: StudyRun, bits: str | None) -> Held | None:
        """Return the image with those bits; None where the study is in no file."""
        if self._file is None or run.clean is None or bits is None:
            return None
        part = "clean" if digest(run.clean) == bits else "attack.clean[0]"
        image = self._known.setdefault(bits, f"{call('kept.run', literal(run.id))}.{part}")
        place = f"Path(__file__).with_name({literal(self._file.name)})" if self._beside else literal(str(self._file.absolute()))
        imports = {"from engine import study", *(["from pathlib import Path"] if self._beside else [])}
        return Held(call("study.read", place), image, frozenset(imports))


def _add(script: Script, run: StudyRun, images: _Images) -> None:
    try:
        each = recorded(run)
        script.add(each, run.title, images.of(run, each.record.image.bits))
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
    if result is not None and is_recorded(result.classifier) and result.classifier.source is None:
        raise GibbonError(f"The model “{result.classifier.name}” is not here.")
    return Recorded(record_of_run(run))
