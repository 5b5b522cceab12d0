"""The file of a study: `write` makes it, `read` makes the study of it again, whole or not at all."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError, in_words
from engine.evaluate.batch import ImageResults
from engine.files import STUDY_SUFFIX as SUFFIX
from engine.images import Photograph
from engine.record.recorded import Answer, stand_in
from engine.refusals import place_and_reason
from engine.study import batches, canvases, models, operations, photographs, runs, tensors, thumbnail, timelines
from engine.study.archive import Archive, write_archive
from engine.study.entries import FORMAT, BatchEntry, PhotographEntry, RunEntry, StudyEntry, StudyModel
from engine.study.migration import VERSION, is_known, migrated
from engine.study.tensors import Tensors
from engine.study.values import CarriedRun, Study, StudyRun

_MAIN = "study.json"
_PICTURE = "thumbnail.png"
_Entry = TypeVar("_Entry", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class _Encoded:
    """A run as the file holds it."""

    json: bytes
    tensors: Mapping[str, Tensor]


_encoded: weakref.WeakKeyDictionary[StudyRun, dict[int, _Encoded]] = weakref.WeakKeyDictionary()
"""The encoded runs by the bytes that their timelines may take. A run never changes, so each is encoded once."""


_encoded_tables: weakref.WeakKeyDictionary[ImageResults, _Encoded] = weakref.WeakKeyDictionary()
"""The encoded tables of many images, which never change either."""


# ---------------------------------------------------------------------- writing


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
        _encode(run, timelines.RUN_BYTES)
    except Exception as error:  # an operation of a user's may hold anything
        return in_words(error, f"Saving {run.title}", "The other runs are saved.")
    return ""


def _members(study: Study) -> Iterator[tuple[str, bytes]]:
    """Yield the members of a file, the JSON of the study first."""
    pool, parts = Tensors(), _encoded_runs(study.runs)
    shown = _photographs(study)
    yield _MAIN, _json_of(_main_entry(study, pool, shown))
    picture = thumbnail.png(study)
    if picture is not None:
        yield _PICTURE, picture
    for photograph in shown.values():
        entry = photographs.entry_of(photograph)
        if entry.embedded:
            yield photographs.member_of(entry), photographs.encoded(photograph)
    all_tensors = dict(pool.by_digest)
    if study.batch is not None:
        table = _encoded_batch(study.batch)
        yield batches.MEMBER, table.json
        all_tensors |= table.tensors
    for id, part in parts.items():
        yield _member(id), part.json
        all_tensors |= part.tensors
    for carried in study.carried:
        yield _member(carried.id), json.dumps(carried.entry).encode()
        all_tensors |= carried.tensors
    for digest, tensor in all_tensors.items():
        yield tensors.member_of(digest), tensors.encoded(tensor)


def _main_entry(study: Study, pool: Tensors, shown: Mapping[str, Photograph]) -> StudyEntry:
    return StudyEntry(
        written=datetime.now().astimezone(),
        gibbon=_program(),
        canvas=canvases.entry_of(study.canvas, pool),
        plan=canvases.plan_entry(study.plan, pool),
        explanations=tuple(operations.entry_of(explanation) for explanation in study.explanations),
        models=tuple(models.entry_of(classifier) for classifier in _classifiers(study).values()),
        photographs=tuple(photographs.entry_of(photograph) for photograph in shown.values()),
        runs=(*(run.id for run in study.runs), *(carried.id for carried in study.carried)),
        removed=tuple(sorted(study.removed & {run.id for run in study.runs})),
        shown=study.shown,
        compared=study.compared,
        workspace=study.workspace,
        batch=study.batch is not None,
        copy_of=study.copy_of,
    )


def _encoded_batch(results: ImageResults) -> _Encoded:
    if results not in _encoded_tables:
        own = Tensors()
        entry = batches.entry_of(results, own)
        _encoded_tables[results] = _Encoded(_json_of(entry), own.by_digest)
    return _encoded_tables[results]


def _encoded_runs(all_runs: Sequence[StudyRun]) -> dict[str, _Encoded]:
    """Return the encoded runs by id, each with a share of the room for timelines: the newest have theirs first."""
    room, found = timelines.STUDY_BYTES, {}
    for run in reversed(all_runs):
        size = min(timelines.RUN_BYTES, sum(step.adversarial.nbytes for step in run.timeline))
        allowed = timelines.RUN_BYTES if size <= room else 0
        room -= size if allowed else 0
        found[run.id] = _encode(run, allowed)
    return dict(reversed(found.items()))


def _encode(run: StudyRun, timeline_bytes: int) -> _Encoded:
    known = _encoded.setdefault(run, {})
    if timeline_bytes not in known:
        own = Tensors()
        entry = runs.entry_of(run, own, timeline_bytes)
        known[timeline_bytes] = _Encoded(_json_of(entry), own.by_digest)
    return known[timeline_bytes]


def _classifiers(study: Study) -> dict[str, Classifier]:
    """Return the classifiers of the canvas and of all runs, by fingerprint."""
    attacks = (run.attack for run in study.runs)
    of_table = None if study.batch is None else study.batch.classifier
    found = [study.canvas.classifier, of_table, *(result.classifier for result in attacks if result is not None)]
    return {classifier.fingerprint: classifier for classifier in found if classifier is not None}


def _photographs(study: Study) -> dict[str, Photograph]:
    start = study.plan.start
    found = [study.canvas.photograph, None if start is None else start.photograph, *(run.photograph for run in study.runs)]
    return {photograph.sha256: photograph for photograph in found if photograph is not None}


def _json_of(entry: BaseModel) -> bytes:
    return entry.model_dump_json().encode()


def _member(id: str) -> str:
    return f"runs/{id}.json"


def _program() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gibbon-workbench")
    except PackageNotFoundError:
        return ""


# ---------------------------------------------------------------------- reading


def read(path: Path | str) -> Study:
    """Read a study. Nothing of it is used unless all of it can be.

    Its classifiers are stand-ins, which know the recorded logits alone: `engine.study.models.load` loads the weights. What cannot be
    restored although the file is sound, such as a large photograph that has moved, is left out and told in ``remarks``.

    Raises
    ------
    GibbonError
        The file is missing, damaged, of a newer version, too large, or was changed so that its parts do not fit each other.
    """
    path = Path(path).expanduser()
    archive = Archive(path)
    try:
        return _Reader(archive, path.parent).study()
    except GibbonError as error:
        text = str(error).rstrip(".")
        if text.startswith("“"):
            raise
        raise GibbonError(f"“{path.name}” is damaged or was edited: {text}. Choose an earlier copy.") from None


class _Reader:
    """Reads the parts of one file."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self._archive, self._folder = archive, folder
        self._tensors: dict[str, Tensor] = {}
        self._remarks: list[str] = []

    def study(self) -> Study:
        main = self._main()
        if len(set(main.runs)) != len(main.runs):
            raise GibbonError("it names a run twice")
        shown = {entry.sha256: photograph for entry in main.photographs if (photograph := self._photograph(entry)) is not None}
        known = {model.entry.fingerprint: model for model in main.models}
        plain = {id: self._entry(_member(id)) for id in main.runs}
        classifiers = self._stand_ins(known, main, plain)
        sources = runs.Sources(self._find, classifiers, shown, main.operations)
        canvas = canvases.canvas_of(main.canvas, sources)
        found, carried = self._runs(plain, sources)
        ids = {run.id for run in found}
        return Study(
            canvas=canvas,
            plan=canvases.plan_of(main.plan, sources),
            explanations=canvases.explanations_of(main.explanations, main.operations, self._remarks),
            runs=tuple(found),
            removed=frozenset(main.removed) & ids,
            shown=main.shown if main.shown in ids else None,
            compared=tuple(id for id in main.compared if id in ids),
            workspace=main.workspace,
            batch=self._batch(sources) if main.batch else None,
            copy_of=main.copy_of,
            carried=tuple(carried),
            remarks=tuple(self._remarks),
        )

    def _main(self) -> StudyEntry:
        name = self._archive.name
        if _MAIN not in self._archive.names:
            raise GibbonError(f"“{name}” is a zip, but no study of Gibbon's: it has no {_MAIN}. Choose a file that ends in {SUFFIX}.")
        content = _parsed(self._archive.read_json(_MAIN), _MAIN)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise GibbonError(f"“{name}” is a zip, but no study of Gibbon's. Choose a file that ends in {SUFFIX}.")
        if not is_known(content.get("version")):
            raise GibbonError(
                f"“{name}” is a study of the format version {str(content.get('version'))[:20]}, but this Gibbon reads the versions 1 to "
                f"{VERSION}. Install a newer one."
            )
        return _validated(StudyEntry, migrated(content), _MAIN)

    def _entry(self, member: str) -> Any:
        return _parsed(self._archive.read_json(member), member)

    def _find(self, digest: str) -> Tensor:
        """Return the tensor of a digest, which is read once."""
        if digest not in self._tensors:
            member = tensors.member_of(digest)
            self._tensors[digest] = tensors.decoded(member, self._archive.read(member))
        return self._tensors[digest]

    def _photograph(self, entry: PhotographEntry) -> Photograph | None:
        """Return a photograph; None for one that is not embedded and whose file is gone, with a remark."""
        data = self._archive.read(photographs.member_of(entry)) if entry.embedded else None
        try:
            return photographs.photograph_of(entry, data, self._folder)
        except GibbonError as error:
            if entry.embedded:
                raise GibbonError(f"its photograph “{entry.name}” is damaged") from None
            self._remarks.append(
                f"The photograph “{entry.name}” is too large to be in the study, and its file is not there: {error} "
                "Its crop is shown as it was, and cannot be moved."
            )
            return None

    def _stand_ins(self, known: Mapping[str, StudyModel], main: StudyEntry, plain: Mapping[str, Any]) -> dict[str, Classifier]:
        """Make the stand-ins for the classifiers, which know the logits of the canvas and of all runs."""
        answers: dict[str, list[Answer]] = {fingerprint: [] for fingerprint in known}
        if main.canvas.model in answers:
            answers[main.canvas.model] += runs.answers_of(main.canvas.answers, self._find)
        for id, content in plain.items():
            entry = _validated(RunEntry, content, _member(id))
            if entry.attack is not None:
                if entry.attack.model not in known:
                    raise GibbonError(f"its run {entry.number} is of a model that it does not name")
                answers[entry.attack.model] += runs.recorded_answers(entry.attack, self._find)
        return {fingerprint: stand_in(model.entry, model.labels, answers[fingerprint]) for fingerprint, model in known.items()}

    def _batch(self, sources: runs.Sources) -> ImageResults | None:
        """Return the table; None, with a remark, for one of an attack that is not here."""
        entry = _validated(BatchEntry, self._entry(batches.MEMBER), batches.MEMBER)
        try:
            return batches.batch_of(entry, sources)
        except operations.UnknownOperation as error:
            self._remarks.append(f"The table of many images is not shown, since {error}.")
            return None

    def _runs(self, plain: Mapping[str, Any], sources: runs.Sources) -> tuple[list[StudyRun], list[CarriedRun]]:
        found: list[StudyRun] = []
        carried: list[CarriedRun] = []
        for id, content in plain.items():
            entry = _validated(RunEntry, content, _member(id))
            if entry.id != id:
                raise GibbonError(f"its part {_member(id)} is of another run")
            try:
                run = runs.run_of(entry, sources)
            except operations.UnknownOperation as error:
                carried.append(CarriedRun(id, content, self._tensors_in(entry)))
                self._remarks.append(f"Run {entry.number} of the study is not shown, since {error}. It stays in the study.")
                continue
            lost = [name for name in entry.artifacts if name not in run.result.artifacts]
            if lost:
                self._remarks.append(f"Of {run.title} the network “{lost[0]}” cannot be built here. It stays in the study.")
            found.append(run)
            # As it was read, it is written again, with the parts that cannot be made here.
            _encoded[run] = dict.fromkeys((0, timelines.RUN_BYTES), _Encoded(json.dumps(content).encode(), self._tensors_in(entry)))
        if len({run.number for run in found}) != len(found):
            raise GibbonError("two of its runs have one number")
        return found, carried

    def _tensors_in(self, entry: RunEntry) -> dict[str, Tensor]:
        return {digest: self._find(digest) for digest in sorted(_digests(entry.model_dump(mode="json")))}


def _digests(content: Any) -> set[str]:
    """Return all digests of tensors in a run's entry: texts in the places where the schema has them look like nothing else."""
    found: set[str] = set()
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in ("id", "facts", "provenance", "parameters"):
                found |= _digests(value)
            elif key == "facts" and isinstance(value, dict) and isinstance(value.get("history"), dict):
                found |= _digests(value["history"].get("tensors", {}))
    elif isinstance(content, list):
        for value in content:
            found |= _digests(value)
    elif isinstance(content, str) and tensors.digest_in(tensors.member_of(content)) == content:
        found.add(content)
    return found


def _parsed(data: bytes, member: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise GibbonError(f"its part {member} is no JSON") from None


def _validated(kind: type[_Entry], content: Any, member: str) -> _Entry:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise GibbonError(f"its part {member} says {place_and_reason(error)}") from None
    except RecursionError:
        raise GibbonError(f"its part {member} is no JSON of a study") from None
