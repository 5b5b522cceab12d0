"""Reading of a study from its file: whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.evaluate.batch import ImageResults
from engine.evaluate.tables import TableResults
from engine.files import STUDY_SUFFIX as SUFFIX
from engine.images import Photograph
from engine.record.recorded import Answer, stand_in
from engine.refusals import place_and_reason
from engine.study import batches, canvases, lights, operations, photographs, runs, tables, tensors
from engine.study.archive import Archive
from engine.study.batch_entries import BatchEntry
from engine.study.encoded import MAIN, member_of, remember
from engine.study.entries import FORMAT, PhotographEntry, RunEntry, StudyEntry, StudyModel
from engine.study.migration import VERSION, is_known, migrated
from engine.study.table_entries import TableEntry
from engine.study.values import CarriedRun, Study, StudyRun

_Entry = TypeVar("_Entry", bound=BaseModel)


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
        plain = {id: self._entry(member_of(id)) for id in main.runs}
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
            lights={id: tuple(map(lights.light_of, kept)) for id, kept in main.lights.items() if id in main.runs},
            shown=main.shown if main.shown in ids else None,
            compared=tuple(id for id in main.compared if id in ids),
            workspace=main.workspace,
            batch=self._batch(sources) if main.batch else None,
            table=self._table() if main.table else None,
            copy_of=main.copy_of,
            carried=tuple(carried),
            remarks=tuple(self._remarks),
        )

    def _main(self) -> StudyEntry:
        name = self._archive.name
        if MAIN not in self._archive.names:
            raise GibbonError(f"“{name}” is a zip, but no study of Gibbon's: it has no {MAIN}. Choose a file that ends in {SUFFIX}.")
        content = _parsed(self._archive.read_json(MAIN), MAIN)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise GibbonError(f"“{name}” is a zip, but no study of Gibbon's. Choose a file that ends in {SUFFIX}.")
        if not is_known(content.get("version")):
            raise GibbonError(
                f"“{name}” is a study of the format version {str(content.get('version'))[:20]}, but this Gibbon reads the versions 1 to "
                f"{VERSION}. Install a newer one."
            )
        return _validated(StudyEntry, migrated(content), MAIN)

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
            entry = _validated(RunEntry, content, member_of(id))
            if entry.attack is not None:
                if entry.attack.model not in known:
                    raise GibbonError(f"its run {entry.number} is of a model that it does not name")
                answers[entry.attack.model] += runs.recorded_answers(entry.attack, self._find)
                if entry.attack.undefended is not None:
                    if entry.attack.undefended not in known:
                        raise GibbonError(f"its run {entry.number} is of an undefended model that it does not name")
                    answers[entry.attack.undefended] += runs.answers_of(entry.attack.undefended_answers, self._find)
        return {fingerprint: stand_in(model.entry, model.labels, answers[fingerprint]) for fingerprint, model in known.items()}

    def _batch(self, sources: runs.Sources) -> ImageResults | None:
        """Return the table; None, with a remark, for one of an attack that is not here."""
        entry = _validated(BatchEntry, self._entry(batches.MEMBER), batches.MEMBER)
        try:
            return batches.batch_of(entry, sources)
        except operations.UnknownOperation as error:
            self._remarks.append(f"The table of many images is not shown, since {error}.")
            return None

    def _table(self) -> TableResults | None:
        """Return the table of models and attacks; None, with a remark, for one that this Gibbon cannot make."""
        entry = _validated(TableEntry, self._entry(tables.MEMBER), tables.MEMBER)
        try:
            return tables.results_of(entry, self._find)
        except tables.UnknownTable as error:
            self._remarks.append(f"The table of models and attacks is not shown: {error}")
            return None

    def _runs(self, plain: Mapping[str, Any], sources: runs.Sources) -> tuple[list[StudyRun], list[CarriedRun]]:
        found: list[StudyRun] = []
        carried: list[CarriedRun] = []
        for id, content in plain.items():
            entry = _validated(RunEntry, content, member_of(id))
            if entry.id != id:
                raise GibbonError(f"its part {member_of(id)} is of another run")
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
            remember(run, content, self._tensors_in(entry))
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
