"""Snapshot: everything of a session that a study holds, as references to frozen values; and the study that is made of it.

Taking a snapshot costs the main thread nothing. `study_of` is called in the thread that saves.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gui.session.history import AttackRun, FinishedRun
from gui.session.run_lights import lights_of, measured_lights
from gui.session.state import PLAN_FIELDS, STATE_FIELDS, State, differing_fields
from gui.session.studies.kept_fields import ATTACK_RUN, CANVAS, INPUTS, PLAN, RUN, START, renamed, taken, to_study

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.evaluate.batch import ImageResults
    from engine.evaluate.tables import TableResults
    from engine.evaluate.trust import Light
    from engine.study import Answer, Canvas, Plan, Settings, Study, StudyRun
    from engine.study.values import CarriedRun
    from gui.session.scene import Frame
    from gui.session.state import AttackSettings
    from gui.session.studies.host import Host

_PASSING = frozenset({"ready", "prediction", "explaining", "opened", "label_text", "target_text", "selected", "also_selected", "view"})
"""Fields of the state whose change alone is no reason to save."""
SAVED = tuple(name for name in (*STATE_FIELDS, *PLAN_FIELDS) if name not in _PASSING)
_made: weakref.WeakKeyDictionary[FinishedRun, StudyRun] = weakref.WeakKeyDictionary()
"""The study's run of each finished run, so that each is made, and encoded, once."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state, the finished runs and the newest frame of a session."""

    state: State
    runs: tuple[FinishedRun, ...]
    """All runs, removed ones included."""
    shown: AttackRun | None = None
    frame: Frame | None = None
    """The newest frame, whose logits a study keeps to be shown without the model."""
    lights: Mapping[int, tuple[Light, ...]] = field(default_factory=dict)
    """The trust lights by the number of their run."""
    measured: Mapping[int, tuple[Light, ...]] = field(default_factory=dict)
    """Those of them that took other attacks. The others follow from the run at once, so that they alone are no reason to save."""
    workspace: str = ""
    batch: ImageResults | None = None
    """The table of many images."""
    matrix: TableResults | None = None
    """The table of models and attacks."""
    copy_of: str = ""
    carried: tuple[CarriedRun, ...] = ()
    """Runs of the study that was opened which cannot be shown here."""


class Saved:
    """The parts of a saved snapshot that tell whether anything has changed since. No run is kept alive: one that is dropped is gone."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._state, self._workspace, self._carried = snapshot.state, snapshot.workspace, snapshot.carried
        self._measured = snapshot.measured
        self._tables = [None if table is None else weakref.ref(table) for table in (snapshot.batch, snapshot.matrix)]
        self._runs = [(weakref.ref(run), _reference(known(run))) for run in snapshot.runs]

    def differs(self, snapshot: Snapshot) -> bool:
        """Return whether there is anything in which a study of ``snapshot`` would differ from the saved one."""
        alike = self._workspace == snapshot.workspace and self._carried == snapshot.carried and self._has_runs(snapshot.runs)
        tables = zip((snapshot.batch, snapshot.matrix), self._tables, strict=True)
        alike = alike and all(table is None if was is None else was() is table and table is not None for table, was in tables)
        alike = alike and self._measured == snapshot.measured
        changed = differing_fields(snapshot.state, self._state, SAVED)
        if "classifier" in changed and _fingerprint(snapshot.state) == _fingerprint(self._state):
            changed -= {"classifier"}  # a stand-in, and the classifier that has taken its place
        return not alike or bool(changed)

    def _has_runs(self, runs: tuple[FinishedRun, ...]) -> bool:
        """Return whether the runs are the saved ones, even if the classifier of some has taken the place of its stand-in."""
        if len(runs) != len(self._runs):
            return False
        return all(was() is run or (made() is not None and made() is known(run)) for run, (was, made) in zip(runs, self._runs, strict=True))


def _reference(made: StudyRun | None) -> Callable[[], StudyRun | None]:
    return (lambda: None) if made is None else weakref.ref(made)


def _fingerprint(state: State) -> str | None:
    return None if state.classifier is None else state.classifier.fingerprint


def take(session: Host, workspace: str = "", carried: tuple[CarriedRun, ...] = (), copy_of: str = "") -> Snapshot:
    """Return the snapshot of a session. While an attack is in progress the canvas counts as it was before."""
    history, frame = session.history, session.frame
    still = frame if frame is not None and frame.step is None else None
    return Snapshot(
        session.state,
        history.every,
        history.shown,
        still,
        lights={run.number: found for run in history.every if (found := lights_of(run))},
        measured=measured_lights(history.every),
        workspace=workspace,
        batch=session.batch.results,
        matrix=session.matrix.results,
        copy_of=copy_of,
        carried=carried,
    )


def study_of(snapshot: Snapshot) -> Study:
    """Return the study of a snapshot, without the runs that a study cannot hold."""
    return kept_and_left_out(snapshot)[0]


def kept_and_left_out(snapshot: Snapshot) -> tuple[Study, tuple[str, ...]]:
    """Return the study of a snapshot, and sentences about the runs that cannot be kept, which it leaves out."""
    from engine.study import Study, can_keep, unwritable

    reasons = [unwritable(_run_of(run)) for run in snapshot.runs]
    kept = [run for run, reason in zip(snapshot.runs, reasons, strict=True) if not reason]
    ids = {run.number: _run_of(run).id for run in kept}
    table = snapshot.batch
    state = snapshot.state
    study = Study(
        canvas=_canvas(snapshot),
        plan=_plan(state),
        explanations=tuple(explanation for explanation in state.explanations if can_keep(explanation)),
        runs=tuple(_run_of(run) for run in kept),
        removed=frozenset(ids[number] for number in state.removed if number in ids),
        lights={ids[number]: lights for number, lights in snapshot.lights.items() if number in ids},
        shown=None if snapshot.shown is None else ids.get(snapshot.shown.number),
        compared=tuple(ids[number] for number in state.compared if number in ids),
        workspace=snapshot.workspace,
        batch=table if table is not None and can_keep(table.attack) else None,
        table=snapshot.matrix,
        copy_of=snapshot.copy_of,
        carried=snapshot.carried,
    )
    if table is not None and study.batch is None:
        reasons.append(f"The table of many images is not saved: “{table.attack.title}” is in no catalogue of the engine.")
    return study, tuple(reason for reason in reasons if reason)


def remember(run: FinishedRun, made: StudyRun) -> None:
    """Remember that a finished run came from a study's run, so that it is written as it was read."""
    _made[run] = made


def known(run: FinishedRun) -> StudyRun | None:
    """Return the study's run of a finished run, if it was made already."""
    return _made.get(run)


def _run_of(run: FinishedRun) -> StudyRun:
    made = _made.get(run)
    steps = len(_steps(run))
    # A timeline that was thinned to make room must not be kept alive here.
    if made is None or steps < len(made.timeline):
        new = _attack_of(run) if isinstance(run, AttackRun) else _any_of(run)
        made = _made[run] = new if made is None else replace(new, id=made.id)
    return made


def _steps(run: FinishedRun) -> tuple[Any, ...]:
    return run.timeline.settled if isinstance(run, AttackRun) and run.timeline is not None else ()


def _any_of(run: FinishedRun) -> StudyRun:
    from engine.study import StudyRun

    return StudyRun(**taken(run, RUN))


def _attack_of(run: AttackRun) -> StudyRun:
    from engine.study import Inputs, StudyRun

    return StudyRun(
        **taken(run, RUN),
        **taken(run, ATTACK_RUN),
        clean=run.before.clean,
        before=run.before.stickers,
        after=run.scene.stickers,
        delta=run.scene.delta,
        grown=run.scene.grown,
        inputs=Inputs(**renamed(run.inputs, INPUTS), data=to_study(run.inputs.data), bounds=run.before.bounds),
        timeline=_steps(run),
        answers=_answered(run.result.classifier, run.before.clean) if run.before.stickers else (),
        undefended=run.before.classifier if run.inputs.defense else None,
        undefended_answers=_without_defense(run),
    )


def _without_defense(run: AttackRun) -> tuple[Answer, ...]:
    """Return the undefended model's logits of a run that went through a defense, which the result does not hold."""
    if not run.inputs.defense:
        return ()
    result = run.result
    images = {id(image): image for image in (run.before.clean, result.clean[0], result.adversarial[0])}
    return tuple(answer for image in images.values() for answer in _answered(run.before.classifier, image.cpu()))


def _answered(classifier: Classifier, image: Tensor) -> tuple[Answer, ...]:
    """Return a classifier's logits of an image that the result does not hold, such as the one without its stickers."""
    from engine.study import Answer, is_recorded

    if is_recorded(classifier):
        return ()
    with contextlib.suppress(Exception):  # a user's model may raise anything, and the study must be saved
        return (Answer(image[None], classifier.score(image[None]).cpu()),)
    return ()


def _canvas(snapshot: Snapshot) -> Canvas:
    from engine.study import Canvas

    return Canvas(**taken(snapshot.state, CANVAS), answers=_answers(snapshot))


def _answers(snapshot: Snapshot) -> tuple[Answer, ...]:
    """Return the logits of both images on the canvas, if the newest frame shows them."""
    from engine.study import Answer

    frame, state = snapshot.frame, snapshot.state
    if frame is None or not state.is_current(frame.scene):
        return ()
    seen = frame.observation
    pairs = ((seen.clean_image, seen.clean_logits), (seen.adversarial_image, seen.adversarial_logits))
    return tuple(Answer(image[None], logits[None]) for image, logits in pairs)


def _plan(state: State) -> Plan:
    from engine.study import Plan, StartPicture

    plan, start = state.plan, state.plan.start
    return Plan(
        **taken(plan, PLAN),
        settings=_settings(plan.settings),
        kept={slug: _settings(settings) for slug, settings in plan.kept.items()},
        data=to_study(plan.data),
        start=None if start is None else StartPicture(**taken(start, START)),
    )


def _settings(settings: AttackSettings) -> Settings:
    from engine.study import Settings

    return Settings(dict(settings.parameters), settings.preset)
