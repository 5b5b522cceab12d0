"""A study as fields of the state and finished runs. Called in the thread that reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gui.session.attack_inputs import AttackInputs
from gui.session.defense import behind
from gui.session.history import AttackRun, FinishedRun
from gui.session.run_lights import keep_lights, pass_lights
from gui.session.scene import Scene
from gui.session.stand_in import is_stand_in
from gui.session.start_image import StartImage
from gui.session.state import AttackSettings, Plan, State
from gui.session.studies.kept_fields import ATTACK_RUN, CANVAS, INPUTS, PLAN, RUN, START, from_study, renamed_back, taken
from gui.session.studies.snapshot import known, remember

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import Classifier
    from engine.evaluate.batch import ImageResults
    from engine.evaluate.tables import TableResults
    from engine.study import Settings, Study, StudyRun
    from engine.study.values import CarriedRun


@dataclass(frozen=True, eq=False)
class Restored:
    """The parts of a session that a study replaces: all of them are ready before any is used."""

    fields: Mapping[str, Any]
    """The fields of the state with their values."""
    runs: tuple[FinishedRun, ...] = ()
    workspace: str = ""
    batch: ImageResults | None = None
    """The table of many images."""
    matrix: TableResults | None = None
    """The table of models and attacks."""
    copy_of: str = ""
    """The name of the study that this one is a copy of."""
    carried: tuple[CarriedRun, ...] = ()
    remarks: tuple[str, ...] = field(default_factory=tuple)
    """Sentences about what could not be restored."""


def restored(study: Study) -> Restored:
    """Return what a study puts into a session."""
    numbers = {run.id: run.number for run in study.runs}
    fields: dict[str, Any] = {
        **taken(study.canvas, CANVAS),
        "label_text": "",
        "target_text": "",
        "removed": frozenset(numbers[id] for id in study.removed),
        "compared": tuple(numbers[id] for id in study.compared),
        "run": None if study.shown is None else numbers[study.shown],
    }
    plan = study.plan
    if plan.slug or plan.kept or plan.seed or plan.data or plan.start:  # a study of a script may plan nothing: the window's stays
        fields["plan"] = _plan(study)
    if study.explanations:  # a study of a script names none: those of the window stay
        fields["explanations"] = study.explanations
    runs = tuple(_run(run) for run in study.runs)
    for made, run in zip(runs, study.runs, strict=True):
        if isinstance(made, AttackRun) and run.id in study.lights:
            keep_lights(made, study.lights[run.id], measured=True)
    return Restored(fields, runs, study.workspace, study.batch, study.table, study.copy_of, study.carried, study.remarks)


def empty(state: State) -> Restored:
    """Return what a new study puts into a session: model and image stay, everything else is as at the first start."""
    fresh = State()
    names = ("stickers", "selected", "delta", "grown", "run", "removed", "compared", "region", "target", "target_text", "bounds", "defense")
    fields = {name: getattr(fresh, name) for name in names}
    plan = state.plan
    return Restored({**fields, "plan": Plan(slug=plan.slug, live=plan.live)})


def _run(run: StudyRun) -> FinishedRun:
    made = _any_run(run) if run.attack is None else _attack_run(run)
    remember(made, run)
    return made


def _any_run(run: StudyRun) -> FinishedRun:
    return FinishedRun(**taken(run, RUN))


def _attack_run(run: StudyRun) -> AttackRun:
    from engine.timeline import Timeline

    result, inputs = run.attack, run.inputs
    assert result is not None
    assert run.clean is not None
    classifier = result.classifier if run.undefended is None else run.undefended
    before = Scene(classifier, run.clean, run.before, bounds=inputs.bounds, defense=inputs.defense)
    after = replace(before, stickers=run.after, delta=run.delta, grown=run.grown)
    return AttackRun(
        **{**taken(run, RUN), "result": result},
        **taken(run, ATTACK_RUN),
        scene=after,
        before=before,
        inputs=AttackInputs(**renamed_back(inputs, INPUTS), data=from_study(inputs.data)),
        timeline=Timeline.of(run.timeline) if run.timeline else None,
    )


def _plan(study: Study) -> Plan:
    plan = study.plan
    return Plan(
        **taken(plan, PLAN),
        settings=_settings(plan.settings),
        kept={slug: _settings(settings) for slug, settings in plan.kept.items()},
        data=from_study(plan.data),
        start=_start(study),
    )


def _start(study: Study) -> StartImage | None:
    from gui.session.scene import to_pixels

    start = study.plan.start
    if start is None or study.canvas.classifier is None or tuple(start.image.shape) != study.canvas.classifier.input_shape:
        return None
    return StartImage(**taken(start, START), pixels=to_pixels(start.image))


def _settings(settings: Settings) -> AttackSettings:
    return AttackSettings(dict(settings.parameters), settings.preset)


def under(found: Restored, classifier: Classifier) -> Restored:
    """Return what a study puts into a session with a classifier instead of the stand-in for it, so that no frame is asked of that."""

    def stands(other: Classifier | None) -> bool:
        return other is not None and is_stand_in(other) and same(other, classifier)

    runs = (with_classifier(run, classifier) if isinstance(run, AttackRun) and stands(run.before.classifier) else run for run in found.runs)
    fields = {**found.fields, "classifier": classifier} if stands(found.fields.get("classifier")) else found.fields
    return replace(found, fields=fields, runs=tuple(runs))


def same(one: Classifier, other: Classifier) -> bool:
    """Return whether two classifiers have the same weights, class names and input."""
    return (one.fingerprint, one.labels, one.input_shape) == (other.fingerprint, other.labels, other.input_shape)


def with_classifier(run: AttackRun, classifier: Classifier) -> AttackRun:
    """Return a run whose stand-in is replaced by the classifier itself, behind the defense that its attack went through."""
    from engine.study import on_classifier

    scene, before = (replace(each, classifier=classifier) for each in (run.scene, run.before))
    result = on_classifier(run.result, behind(classifier, run.inputs.defense))
    new = replace(run, result=result, scene=scene, before=before)
    made = known(run)
    if made is not None:
        remember(new, made)
    pass_lights(run, new)
    return new
