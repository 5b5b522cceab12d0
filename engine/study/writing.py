"""Writing of a study as one file, which is replaced when the new one is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from engine.classifier import Classifier
from engine.errors import GibbonError, in_words
from engine.files import STUDY_SUFFIX as SUFFIX
from engine.images import Photograph
from engine.study import batches, canvases, lights, models, operations, photographs, tables, tensors, thumbnail, timelines
from engine.study.archive import write_archive
from engine.study.encoded import MAIN, PICTURE, encode, encoded_runs, encoded_table, json_of, member_of
from engine.study.entries import StudyEntry
from engine.study.tensors import Tensors
from engine.study.values import Study, StudyRun


def write(study: Study, path: Path | str) -> Path:
    """Write a study as one file, which replaces ``path`` when it is whole. Only what has changed is encoded again.

    Parameters
    ----------
    study
        The study.
    path
        The file; ``.gibbon`` is added where it has no suffix.

    Raises
    ------
    GibbonError
        The file cannot be written, or a run's operation is in no catalogue.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise GibbonError(f"“{path}” is a folder. Give the name of a file in it.")
    path = path if path.suffix else path.with_suffix(SUFFIX)
    return write_archive(path, _members(study))


def unwritable(run: StudyRun) -> str:
    """Return why a run cannot be written, in a sentence; empty if it can. What is encoded here need not be encoded again."""
    try:
        encode(run, timelines.RUN_BYTES)
    except Exception as error:  # an operation of a user's may hold anything
        return in_words(error, f"Saving {run.title}", "The other runs are saved.")
    return ""


def _members(study: Study) -> Iterator[tuple[str, bytes]]:
    """Yield the members of a file, the JSON of the study first."""
    pool, parts = Tensors(), encoded_runs(study.runs)
    shown = _photographs(study)
    yield MAIN, json_of(_main_entry(study, pool, shown))
    picture = thumbnail.png(study)
    if picture is not None:
        yield PICTURE, picture
    for photograph in shown.values():
        entry = photographs.entry_of(photograph)
        if entry.embedded:
            yield photographs.member_of(entry), photographs.encoded(photograph)
    all_tensors = dict(pool.by_digest)
    for member, results in ((batches.MEMBER, study.batch), (tables.MEMBER, study.table)):
        if results is not None:
            table = encoded_table(results)
            yield member, table.json
            all_tensors |= table.tensors
    for id, part in parts.items():
        yield member_of(id), part.json
        all_tensors |= part.tensors
    for carried in study.carried:
        yield member_of(carried.id), json.dumps(carried.entry).encode()
        all_tensors |= carried.tensors
    for digest, tensor in all_tensors.items():
        yield tensors.member_of(digest), tensors.encoded(tensor)


def _main_entry(study: Study, pool: Tensors, shown: Mapping[str, Photograph]) -> StudyEntry:
    ids = (*(run.id for run in study.runs), *(carried.id for carried in study.carried))
    return StudyEntry(
        written=datetime.now().astimezone(),
        gibbon=_program(),
        canvas=canvases.entry_of(study.canvas, pool),
        plan=canvases.plan_entry(study.plan, pool),
        explanations=tuple(operations.entry_of(explanation) for explanation in study.explanations),
        models=tuple(models.entry_of(classifier) for classifier in _classifiers(study).values()),
        photographs=tuple(photographs.entry_of(photograph) for photograph in shown.values()),
        runs=ids,
        removed=tuple(sorted(study.removed & {run.id for run in study.runs})),
        lights={id: tuple(map(lights.entry_of, study.lights[id])) for id in ids if id in study.lights},
        shown=study.shown,
        compared=study.compared,
        workspace=study.workspace,
        batch=study.batch is not None,
        table=study.table is not None,
        copy_of=study.copy_of,
    )


def _classifiers(study: Study) -> dict[str, Classifier]:
    """Return the classifiers of the canvas and of all runs, by fingerprint."""
    attacks = (run.attack for run in study.runs)
    of_table = () if study.batch is None else (study.batch.classifier, study.batch.undefended)
    undefended = (run.undefended for run in study.runs)
    found = [study.canvas.classifier, *of_table, *(result.classifier for result in attacks if result is not None), *undefended]
    return {classifier.fingerprint: classifier for classifier in found if classifier is not None}


def _photographs(study: Study) -> dict[str, Photograph]:
    start = study.plan.start
    found = [study.canvas.photograph, None if start is None else start.photograph, *(run.photograph for run in study.runs)]
    return {photograph.sha256: photograph for photograph in found if photograph is not None}


def _program() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gibbon-workbench")
    except PackageNotFoundError:
        return ""
