"""Finished runs as entries of a study, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.classifier import Classifier
from engine.defenses import preprocessing
from engine.defenses.preprocessing import Preprocessing
from engine.errors import GibbonError
from engine.images import Photograph
from engine.operation import Attack, Operation
from engine.record.recorded import Answer
from engine.result import AttackResult, Reason, Result
from engine.study import artifacts, operations, stickers, timelines
from engine.study.entries import AttackEntry, DataEntry, ImageInfo, InputsEntry, ReplayedEntry, RunEntry, Steps, plain
from engine.study.shapes import Shapes
from engine.study.tensors import Tensors
from engine.study.values import DataChoice, Inputs, Replayed, StudyRun

_TENSORS = (
    "clean",
    "adversarial",
    "labels",
    "targets",
    "logits",
    "loss",
    "steps_to_flip",
    "trace",
    "trace_steps",
    "attacked",
    "failed",
    "goals",
)


@dataclass(frozen=True, eq=False)
class Sources:
    """The other parts of a study that its runs refer to, read already."""

    find: Callable[[str], Tensor]
    classifiers: Mapping[str, Classifier]
    """The classifiers by fingerprint."""
    photographs: Mapping[str, Photograph]
    """The photographs by hash."""
    version: int
    """Version of the parameters of attacks."""

    @cached_property
    def stickers(self) -> stickers.Stickers:
        """The stickers of the study, each made once."""
        return stickers.Stickers(self.find)


def entry_of(run: StudyRun, tensors: Tensors, timeline_bytes: int) -> RunEntry:
    """Make the entry of a run, with its tensors added to ``tensors``.

    Raises
    ------
    GibbonError
        The operation is in no catalogue.
    """
    result, attack = run.result, run.attack
    return RunEntry(
        id=run.id,
        number=run.number,
        when=run.when,
        operation=operations.entry_of(result.operation),
        reason=str(result.reason),
        seconds=result.seconds,
        forwards=result.forwards,
        backwards=result.backwards,
        provenance=plain(dict(result.provenance)),
        artifacts={name: artifacts.entry_of(artifact, tensors) for name, artifact in result.artifacts.items()},
        verdict=run.verdict,
        passed=run.passed,
        attack=None if attack is None else _attack_entry(run, attack, tensors, timeline_bytes),
    )


def run_of(entry: RunEntry, sources: Sources) -> StudyRun:
    """Make the run of an entry.

    Raises
    ------
    UnknownOperation
        The operation is not known here.
    GibbonError
        A part is missing, damaged or of another shape.
    """
    operation = operations.operation_of(entry.operation, sources.version)
    kept = {name: artifacts.artifact_of(artifact, sources.find) for name, artifact in entry.artifacts.items()}
    common: dict[str, Any] = {
        "operation": operation,
        "reason": Reason(entry.reason),
        "seconds": entry.seconds,
        "forwards": entry.forwards,
        "backwards": entry.backwards,
        "artifacts": {name: artifact for name, artifact in kept.items() if artifact is not None},
        "provenance": dict(entry.provenance),
    }
    told: dict[str, Any] = {
        "id": entry.id,
        "number": entry.number,
        "when": entry.when,
        "verdict": entry.verdict,
        "passed": entry.passed,
    }
    if entry.attack is None:
        return StudyRun(Result(**common), **told)
    return _attack_run(entry.attack, common, told, operation, sources)


def recorded_answers(entry: AttackEntry, find: Callable[[str], Tensor]) -> tuple[Answer, ...]:
    """Return all logits that the entry of an attack holds, with their images."""
    named = (("clean", "first_logits"), ("adversarial", "logits"))
    pairs = [(entry.tensors[image], entry.tensors[logits]) for image, logits in named if {image, logits} <= entry.tensors.keys()]
    pairs += [(step.adversarial, step.logits) for step in entry.timeline if step.logits is not None]
    return answers_of((*pairs, *entry.answers), find)


def answers_of(pairs: Sequence[tuple[str, str]], find: Callable[[str], Tensor]) -> tuple[Answer, ...]:
    """Make answers from the digests of images and logits."""
    return tuple(Answer(find(images), find(logits)) for images, logits in pairs)


def answer_entries(answers: Sequence[Answer], tensors: Tensors) -> tuple[tuple[str, str], ...]:
    """Return the digests of images and logits, with both added to ``tensors``."""
    return tuple((tensors.add(answer.images), tensors.add(answer.logits)) for answer in answers)


def steps_entry(steps: Sequence[Preprocessing]) -> Steps:
    """Make the entry of the steps of a defense, in their order."""
    return tuple(step.model_dump(mode="json") for step in steps)


def steps_of(entry: Steps) -> tuple[Preprocessing, ...]:
    """Make the steps of a defense of their entry."""
    return preprocessing.read(list(entry))


def data_entry(data: DataChoice | None) -> DataEntry | None:
    """Make the entry of a selection of a data set, if there is one."""
    if data is None:
        return None
    root = None if data.root is None else str(data.root)
    return DataEntry(name=data.name, split=data.split, count=data.count, root=root, classes=data.classes, draw=data.draw)


def data_choice(entry: DataEntry | None) -> DataChoice | None:
    """Make the selection of a data set of an entry, if there is one."""
    if entry is None:
        return None
    root = None if entry.root is None else Path(entry.root)
    return DataChoice(entry.name, entry.split, entry.count, root, entry.classes, entry.draw)


def image_info(facts: Mapping[str, Any], photograph: Photograph | None) -> ImageInfo:
    """Make the entry of where an image came from."""
    return ImageInfo(facts=plain(facts), photograph=None if photograph is None else photograph.sha256)


def _attack_entry(run: StudyRun, result: AttackResult, tensors: Tensors, timeline_bytes: int) -> AttackEntry:
    found = {name: getattr(result, name) for name in _TENSORS}
    found |= {"first_logits": result.clean_logits, "survives_8bit": result.survives_8bit}
    clean = result.clean[0] if run.clean is None else run.clean
    steps = timelines.thinned(run.timeline, int(result.steps_to_flip[0]), timeline_bytes)
    inputs = run.inputs
    return AttackEntry(
        model=result.classifier.fingerprint,
        tensors={name: tensors.add(tensor) for name, tensor in found.items() if tensor is not None},
        norms={name: tensors.add(value) for name, value in result.norms.items()},
        labels_assumed=result.labels_assumed,
        notes=result.notes,
        iteration=result.iteration,
        iterations=result.iterations,
        clean=tensors.add(clean),
        image=image_info(run.image, run.photograph),
        before=stickers.entries_of(run.before, tensors),
        after=stickers.entries_of(run.after, tensors),
        delta=tensors.add_if(run.delta),
        grown=run.grown,
        inputs=InputsEntry(
            region=inputs.region,
            label=inputs.label,
            target=inputs.target,
            seed=inputs.seed,
            data=data_entry(inputs.data),
            start=tensors.add_if(inputs.start),
            start_name=inputs.start_name,
            start_prediction=inputs.start_prediction,
            planned=None if inputs.planned is None else operations.entry_of(inputs.planned),
            mask=tensors.add_if(inputs.mask),
            row=inputs.row,
            bounds=dict(inputs.bounds),
            defense=steps_entry(inputs.defense),
        ),
        timeline=timelines.entries_of(steps, tensors),
        iteration_of=run.iteration_of,
        replayed=None if run.replayed is None else ReplayedEntry(**asdict(run.replayed)),
        answers=answer_entries(run.answers, tensors),
        undefended=None if run.undefended is None else run.undefended.fingerprint,
        undefended_answers=answer_entries(run.undefended_answers, tensors),
    )


def _attack_run(entry: AttackEntry, common: dict[str, Any], told: dict[str, Any], operation: Operation, sources: Sources) -> StudyRun:
    classifier, find = sources.classifiers[entry.model], sources.find
    found = {name: find(digest) for name, digest in entry.tensors.items()}
    norms = {name: find(digest) for name, digest in entry.norms.items()}
    inputs = entry.inputs
    clean, delta = find(entry.clean), None if entry.delta is None else find(entry.delta)
    start = None if inputs.start is None else find(inputs.start)
    steps = timelines.steps_of(entry.timeline, find)
    shapes = Shapes(classifier.input_shape, classifier.num_classes)
    shapes.check_result(found, norms)
    shapes.check_image("clean image", clean)
    shapes.check_difference(delta)
    shapes.check_steps(steps)
    if start is not None:
        shapes.check_image("start image", start)
    mask = None if inputs.mask is None else find(inputs.mask)
    shapes.check_mask(mask)
    result = AttackResult(
        **common,
        classifier=classifier,
        labels_assumed=entry.labels_assumed,
        notes=entry.notes,
        iteration=entry.iteration,
        iterations=entry.iterations,
        first_logits=found["first_logits"],
        **{name: found.get(name) for name in _TENSORS},  # type: ignore[arg-type]
    )
    vars(result)["survives_8bit"], vars(result)["norms"] = found["survives_8bit"], norms
    return StudyRun(
        result,
        **told,
        clean=clean,
        image=dict(entry.image.facts),
        photograph=sources.photographs.get(entry.image.photograph or ""),
        before=sources.stickers.of(entry.before),
        after=sources.stickers.of(entry.after),
        delta=delta,
        grown=entry.grown,
        inputs=_inputs(inputs, start, mask, sources.version),
        timeline=steps,
        iteration_of=entry.iteration_of,
        replayed=None if entry.replayed is None else Replayed(**entry.replayed.model_dump()),
        answers=answers_of(entry.answers, find),
        undefended=None if entry.undefended is None else sources.classifiers[entry.undefended],
        undefended_answers=answers_of(entry.undefended_answers, find),
    )


def _inputs(entry: InputsEntry, start: Tensor | None, mask: Tensor | None, version: int) -> Inputs:
    planned = None if entry.planned is None else operations.operation_of(entry.planned, version)
    if planned is not None and not isinstance(planned, Attack):
        raise GibbonError(f"it names “{planned.slug}” as an attack")
    return Inputs(
        entry.region,
        entry.label,
        entry.target,
        entry.seed,
        data_choice(entry.data),
        start,
        entry.start_name,
        entry.start_prediction,
        planned,
        mask,
        entry.row,
        dict(entry.bounds),
        steps_of(entry.defense),
    )
