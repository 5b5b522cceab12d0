"""A study as frozen values: the canvas, the plan of the next attack, and the finished runs.

The values hold no window and no file. `engine.study.write` and `engine.study.read` map them to a file and back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from engine.classifier import Classifier
from engine.defenses.preprocessing import Preprocessing
from engine.evaluate.batch import ImageResults
from engine.evaluate.tables import TableResults
from engine.evaluate.trust import Light
from engine.explain import Explanation
from engine.images import Photograph
from engine.operation import Attack
from engine.parameters import parameters_of
from engine.record.recorded import Answer
from engine.result import AttackResult, Result
from engine.stickers import Sticker
from engine.text.formatting import run_title
from engine.timeline import KeptStep, Timeline

Region = Literal["image", "stickers"]


@dataclass(frozen=True)
class DataChoice:
    """A selection of images of a data set, by the arguments of ``engine.data.load``."""

    name: str
    split: str
    count: int
    root: Path | None = None
    classes: tuple[int, ...] = ()
    """Numbers of the set's classes whose images are taken; empty: all."""
    draw: int | None = None
    """Seed by which the images are drawn; None: spread evenly."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of an attack beside the image and its parameters."""

    region: Region = "image"
    label: int | None = None
    target: int | None = None
    seed: int = 0
    data: DataChoice | None = None
    start: Tensor | None = None
    """``(C, H, W)``: the image that the attack began at."""
    start_name: str = ""
    start_prediction: int | None = None
    """The class that the classifier predicted for ``start``; None if that is not known."""
    planned: Attack | None = None
    """The attack that was planned, where the run continued it at stickers that were moved; else None."""
    mask: Tensor | None = None
    """``(1, H, W)``: the mask of a replayed record; None where it follows from the region and the stickers."""
    row: int = 0
    """The number of the image in the run that was recorded, on which its random numbers depend."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The upper limits of activations under which the run was watched; attacks do not see them."""
    defense: tuple[Preprocessing, ...] = ()
    """The preprocessing through which the attack went, since its attacker knew it. The classifier of the result has it."""


@dataclass(frozen=True)
class Replayed:
    """The comparison of a run that replayed a record with that record."""

    file: str
    """The name of the record's file."""
    same: bool
    """Whether every bit of the adversarial image is the recorded one."""
    sentence: str
    """The comparison in a sentence, which says what differs."""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A finished run.

    ``result`` is an `AttackResult` where the run attacked the image; only then the fields about images have a meaning.
    """

    result: Result
    number: int = 1
    """The number of the run in its study, such as 3 for “#3 PGD”."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Name of the run in the file, which stays the same in every version of the study."""
    when: datetime = field(default_factory=datetime.now)
    verdict: str = ""
    passed: bool | None = None
    clean: Tensor | None = None
    """``(C, H, W)``: the image as cropped, without stickers."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Where the image came from: name, path, sha256, size, crop, notes."""
    photograph: Photograph | None = None
    before: tuple[Sticker, ...] = ()
    """The stickers on the image before the attack, in z-order."""
    after: tuple[Sticker, ...] = ()
    """The stickers after the attack, which may have optimised their content."""
    delta: Tensor | None = None
    """``(C, H, W)``: the perturbation of a pixel attack."""
    grown: bool = False
    """Whether the adversarial image was grown from noise."""
    inputs: Inputs = Inputs()
    timeline: tuple[KeptStep, ...] = ()
    """The kept steps of the run, in their order."""
    iteration_of: int | None = None
    """The number of the run that this one is an iterate of; None for a run of its own."""
    replayed: Replayed | None = None
    """The comparison with the record that the run replayed; None for any other run."""
    answers: tuple[Answer, ...] = ()
    """Logits beyond those in the result and the timeline, such as those of the image without its stickers."""
    undefended: Classifier | None = None
    """The classifier without the defense of ``inputs``; None where the attack went through none."""
    undefended_answers: tuple[Answer, ...] = ()
    """Logits of the undefended classifier for the images of the run."""

    @property
    def attack(self) -> AttackResult | None:
        """The result where it is that of an attack, else None."""
        return self.result if isinstance(self.result, AttackResult) else None

    @property
    def title(self) -> str:
        """The run's number and what was run, such as ``#3 PGD``, or ``#5 PGD, iteration 12 of 40, from #3``."""
        return run_title(self.number, self.result.operation.title if self.attack is None else self.attack.title, self.iteration_of)

    def known(self) -> tuple[Answer, ...]:
        """Return all logits that the run holds: of the clean and the adversarial image, of its steps, and the ``answers``."""
        result = self.attack
        if result is None:
            return self.answers
        pair = (Answer(result.clean, result.clean_logits), Answer(result.adversarial, result.logits))
        steps = (Answer(step.adversarial, step.logits) for step in self.timeline if step.logits is not None)
        return (*pair, *steps, *self.answers)


@dataclass(frozen=True)
class Settings:
    """The parameters of one attack as a form holds them: values by name, or texts that are no value yet."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    preset: str = ""
    """The title of the preset that set them; empty if none did."""


@dataclass(frozen=True, eq=False)
class StartPicture:
    """The image that the next attack begins at."""

    image: Tensor
    """``(C, H, W)``."""
    name: str
    prediction: int | None = None
    photograph: Photograph | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """The attack that the next run will carry out, and the parameters of every attack."""

    slug: str = ""
    settings: Settings = Settings()
    kept: Mapping[str, Settings] = field(default_factory=dict)
    """The parameters of the attacks that are not chosen at present, by slug."""
    seed: int = 0
    data: DataChoice | None = None
    start: StartPicture | None = None
    knows_defense: bool = False
    """Whether the attacker knows the defense of the canvas."""
    live: bool = True


@dataclass(frozen=True, eq=False)
class Canvas:
    """The model, the image with its stickers and its perturbation, and the classes that are set for it."""

    classifier: Classifier | None = None
    clean: Tensor | None = None
    """``(C, H, W)``: the image as cropped."""
    image: Mapping[str, Any] = field(default_factory=dict)
    photograph: Photograph | None = None
    label: int | None = None
    target: int | None = None
    region: Region = "image"
    stickers: tuple[Sticker, ...] = ()
    selected: int | None = None
    new_content: Literal["optimised", "colour"] = "optimised"
    new_colour: tuple[float, float, float] = (1.0, 0.85, 0.0)
    delta: Tensor | None = None
    grown: bool = False
    bounds: Mapping[str, float] = field(default_factory=dict)
    defense: tuple[Preprocessing, ...] = ()
    """The preprocessing behind which the classifier is shown, too."""
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that a window holds of a piece of work: canvas, plan, runs, and which run is shown."""

    canvas: Canvas = Canvas()
    plan: Plan = Plan()
    explanations: tuple[Explanation, ...] = ()
    runs: tuple[StudyRun, ...] = ()
    """The runs in the order in which they finished, removed ones included."""
    removed: frozenset[str] = frozenset()
    """The ids of the runs that were removed, since a person may want one back."""
    lights: Mapping[str, tuple[Light, ...]] = field(default_factory=dict)
    """The trust lights by the id of their run: they are found after a run has ended, so they are no part of it."""
    shown: str | None = None
    """The id of the run whose result is on the canvas."""
    compared: tuple[str, ...] = ()
    """The ids of the runs that are compared: A, B and further ones."""
    workspace: str = ""
    batch: ImageResults | None = None
    """The table of an attack on many images, without the results of single ones."""
    table: TableResults | None = None
    """The table of models and attacks, with its verdicts."""
    copy_of: str = ""
    """The name of the study that this one is a copy of, until it has a name of its own."""
    carried: tuple[CarriedRun, ...] = ()
    """Runs of operations that this Gibbon does not have, kept for one that has them."""
    remarks: tuple[str, ...] = ()
    """Sentences about what reading the file could not restore. They are not written."""

    def run(self, id: str | None) -> StudyRun | None:
        """Return the run of an id; None if there is none."""
        return next((run for run in self.runs if run.id == id), None)

    @classmethod
    def of(cls, *results: AttackResult, timelines: Sequence[Timeline | None] = ()) -> Study:
        """Make a study of results of attacks, each row of them a run; the last one is on the canvas.

        What a sticker attack changed is shown as a perturbation, since its result does not say which stickers there were.

        Parameters
        ----------
        results
            The results.
        timelines
            The timeline that each result was recorded in, as ``engine.run(..., record=timeline)`` does, or None. A run without one has its
            losses and its result, but no iterates to be scrubbed.

        Raises
        ------
        ValueError
            There are timelines, but not one for each result.
        """
        kept = timelines or (None,) * len(results)
        runs = tuple(
            run_of(result, row, timeline) for result, timeline in zip(results, kept, strict=True) for row in range(len(result.adversarial))
        )
        runs = tuple(replace(run, number=number) for number, run in enumerate(runs, 1))
        if not runs:
            return cls()
        return cls(canvas=canvas_of(runs[-1]), plan=plan_of(runs[-1]), runs=runs, shown=runs[-1].id)


@dataclass(frozen=True, eq=False)
class CarriedRun:
    """A run that cannot be shown here: its entry of the file as it was read, and its tensors."""

    id: str
    entry: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def run_of(result: AttackResult, row: int = 0, timeline: Timeline | None = None) -> StudyRun:
    """Return one row of a result as a run of its own, with that row of the steps that a timeline kept."""
    one = row_of(result, row)
    delta = (one.adversarial - one.clean)[0].detach().cpu()
    target = None if one.targets is None else int(one.targets[0])
    inputs = Inputs(
        label=None if one.labels_assumed else int(one.labels[0]), target=target, seed=int(one.provenance.get("seed", 0)), region="image"
    )
    clean = one.clean[0].detach().cpu()
    steps = () if timeline is None else steps_of(timeline, row)
    return StudyRun(one, clean=clean, image={"name": f"image {row + 1}"}, delta=delta, inputs=inputs, grown=is_grown(one), timeline=steps)


def steps_of(timeline: Timeline, row: int) -> tuple[KeptStep, ...]:
    """Return the kept steps of one row of a batch, in order."""
    return tuple(
        one_row(step, row - step.first_row) for step in timeline.steps if step.first_row <= row < step.first_row + len(step.adversarial)
    )


def one_row(step: KeptStep, place: int) -> KeptStep:
    """Return a step of a batch as a step of the row at this place alone."""
    if len(step.adversarial) == 1:
        return replace(step, first_row=0)
    found = {name: getattr(step, name) for name in ("adversarial", "loss", "logits", "success", "goals")}
    rows: dict[str, Any] = {name: value[place : place + 1] for name, value in found.items() if value is not None}
    return replace(step, first_row=0, **rows)


def is_grown(result: AttackResult) -> bool:
    """Return whether the adversarial image was grown from noise, so that norms of the difference have no meaning."""
    return not getattr(result.operation, "from_image", True)


def plan_of(run: StudyRun) -> Plan:
    """Return the plan that makes a run again: its attack, with the parameters that are not the defaults, and its seed."""
    operation = run.result.operation
    values, known = operation.model_dump(mode="json"), parameters_of(type(operation))
    changed = {name: value for name, value in values.items() if value != known[name].default}
    return Plan(slug=operation.slug, settings=Settings(changed), seed=run.inputs.seed)


def canvas_of(run: StudyRun) -> Canvas:
    """Return the canvas that shows a run."""
    result = run.attack
    return Canvas(
        classifier=None if result is None else result.classifier,
        clean=run.clean,
        image=run.image,
        photograph=run.photograph,
        label=run.inputs.label,
        target=run.inputs.target,
        region=run.inputs.region,
        stickers=run.after,
        delta=run.delta,
        grown=run.grown,
    )


_BY_ROW = ("clean", "adversarial", "labels", "targets", "logits", "loss", "steps_to_flip", "attacked", "failed", "goals", "first_logits")
CACHED = ("survives_8bit", "norms")
"""Properties of a result that are computed with the classifier or with sums, and are kept so that they need neither again."""


def on_classifier(result: AttackResult, classifier: Classifier) -> AttackResult:
    """Return a result with another classifier instead of its stand-in, and its tensors on that one's device."""
    names = (*_BY_ROW, "trace", "trace_steps")
    moved: dict[str, Any] = {name: None if (value := getattr(result, name)) is None else value.to(classifier.device) for name in names}
    again = replace(result, classifier=classifier, **moved)
    for name in CACHED:
        vars(again)[name] = getattr(result, name)
    return again


def row_of(result: AttackResult, row: int) -> AttackResult:
    """Return the result of one image of a batch."""
    if len(result.adversarial) == 1:
        return result
    rows: dict[str, Any] = {name: None if (value := getattr(result, name)) is None else value[row : row + 1] for name in _BY_ROW}
    columns = {name: getattr(result, name)[:, row : row + 1] for name in ("trace", "trace_steps")}
    one = replace(result, artifacts={}, **columns, **rows)
    vars(one)["survives_8bit"] = result.survives_8bit[row : row + 1]
    vars(one)["norms"] = {name: value[row : row + 1] for name, value in result.norms.items()}
    return one
