"""Trust: the lights that say whether the number of the run on the canvas can be trusted, and what is known without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.run_lights import keep_lights, lights_of
from gui.session.run_mask import mask_of
from gui.session.stand_in import is_stand_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from engine import Classifier, Run
    from engine.evaluate.trust import Light
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import JobOutcome
    from gui.session.history import AttackRun, FinishedRun, History
    from gui.session.loaded_models import LoadedModels
    from gui.session.staleness import Staleness
    from gui.session.state import State

_TICK_MS = 100
NO_IMAGE = "Open an image and run an attack: its lights appear here."


class Host(Protocol):
    """The part of the session that the lights need."""

    state: State
    history: History
    staleness: Staleness
    loaded: LoadedModels
    background: EngineThread
    ask: Callable[..., None]
    classifierChanged: Any
    imageChanged: Any
    labelChanged: Any


@dataclass(frozen=True, eq=False)
class Subject:
    """The model and the image whose lights are wanted, with the attack's run, if there is one."""

    classifier: Classifier
    clean: Tensor
    label: int
    run: AttackRun | None = None

    def is_same(self, other: Subject | None) -> bool:
        """Return whether another subject has the same lights."""
        if other is None or self.run is not other.run:
            return False
        return self.run is not None or ((self.classifier, self.label) == (other.classifier, other.label) and self.clean is other.clean)


@dataclass(frozen=True, eq=False)
class Measured:
    """The lights that a measurement has found by its end, and why it ended."""

    lights: tuple[Light, ...]
    reason: str


class Trust(QObject):
    """Keeps the lights of every run. The cheap ones are measured as soon as a run is on the canvas, the others when `measure` is called.

    The session owns the only instance.
    """

    changed = Signal()
    """The lights of a run, or of the model at the image, are new, or their measurement began or ended."""
    failed = Signal(str)
    """The lights could not be measured: the sentence."""

    def __init__(self, host: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._refused: WeakKeyDictionary[AttackRun, str] = WeakKeyDictionary()
        """Why there are no lights of a run."""
        self._of_image: tuple[Subject, tuple[Light, ...]] | None = None
        self.runner = OperationRunner(host.background, "trust lights", self, every_ms=_TICK_MS)
        self.runner.changed.connect(self.changed)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)
        for signal in (host.staleness.changed, host.classifierChanged, host.imageChanged, host.labelChanged):
            signal.connect(self.follow)

    # ------------------------------------------------------------------ to the window

    @property
    def subject(self) -> Subject | None:
        """The thing on the canvas whose lights are wanted; None: nothing there has lights."""
        state, run = self._host.state, self._host.staleness.run
        if state.classifier is None or state.clean is None:
            return None
        if run is not None:
            run = self._host.history.source(run) or run
            known = not is_stand_in(state.classifier) or bool(lights_of(run))  # a study has kept the lights of a model that is not here
            return Subject(run.result.classifier, run.result.clean, int(run.result.labels[0]), run) if known else None
        if state.assumed_label is None or is_stand_in(state.classifier):
            return None
        return Subject(state.classifier, state.clean, state.assumed_label)

    @property
    def lights(self) -> tuple[Light, ...]:
        """The lights of what is on the canvas, in the order of `engine.evaluate.trust.SIGNS`; empty: they are not known."""
        subject = self.subject
        if subject is None:
            return ()
        if subject.run is not None:
            return lights_of(subject.run)
        return self._of_image[1] if self._of_image is not None and subject.is_same(self._of_image[0]) else ()

    def warnings(self, run: FinishedRun) -> tuple[str, ...]:
        """Return the sentences that have to stand beside a run's verdict: what its attack rules out, and the lights that are on."""
        from engine.evaluate.trust import sentences_of

        return (*filter(None, [self.caveat(run)]), *sentences_of((run.operation.title, light) for light in lights_of(run)))

    def caveat(self, run: FinishedRun) -> str:
        """Return the sentence that the attack's kind alone puts beside a run that failed; empty where there is none."""
        from engine.evaluate.trust import caveat
        from gui.session.history import AttackRun

        if not isinstance(run, AttackRun) or bool(run.result.success[0]) or run.reached_before:
            return ""
        return caveat(run.planned)

    @property
    def excuse(self) -> str:
        """Why there are no lights; empty where there are some, or where they are being measured."""
        subject = self.subject
        if subject is None:
            return NO_IMAGE
        return "" if subject.run is None else self._refused.get(subject.run, "")

    @property
    def obstacle(self) -> str:
        """The reason why the other lights cannot be measured now, as a sentence; empty if they can."""
        subject = self.subject
        if self.runner.running:
            return "They are being measured."
        if subject is None or subject.run is None:
            return "Run an attack first: the other lights are about its number."
        if subject.run in self._refused:
            return self._refused[subject.run]
        if not self.lights:
            return "The first lights are being measured."
        if not any(_is_open(light) for light in self.lights):
            return "All lights are measured."
        if is_stand_in(subject.classifier):
            return f"The model “{subject.classifier.name}” is not here: load it to measure the other lights."
        return ""

    # ------------------------------------------------------------------ the cheap ones

    @Slot()
    def follow(self) -> None:
        """Measure the cheap lights of the run on the canvas, unless they are known. Without a run `look` is needed."""
        self.changed.emit()
        subject = self.subject
        if subject is not None and subject.run is not None:
            self._look_at(subject)

    @Slot()
    def look(self) -> None:
        """Measure the cheap lights of what is on the canvas, also of a model at an image without a run. Call it where they are seen."""
        subject = self.subject
        if subject is not None:
            self._look_at(subject)

    def _look_at(self, subject: Subject) -> None:
        if not self._is_known(subject):
            self._host.ask("trust", lambda: _at_once(subject), self._take, what="Looking at the gradient", quiet=True)

    def _is_known(self, subject: Subject) -> bool:
        """Return whether the cheap lights of a subject were looked for."""
        if subject.run is None:
            return self._of_image is not None and subject.is_same(self._of_image[0])
        return bool(lights_of(subject.run)) or subject.run in self._refused

    def _take(self, found: tuple[Subject, tuple[Light, ...] | str]) -> None:
        subject, lights = found
        if subject.run is None:
            self._of_image = subject, () if isinstance(lights, str) else lights
        elif isinstance(lights, str):
            self._refused[subject.run] = lights
        elif not lights_of(subject.run):
            keep_lights(subject.run, lights)
        self.changed.emit()

    # ------------------------------------------------------------------ the costly ones

    @Slot()
    def measure(self) -> None:
        """Measure the other lights of the run on the canvas in the background lane."""
        subject = self.subject
        if self.obstacle or subject is None or subject.run is None:
            return
        entry, others = subject.run, _others(subject.classifier, self._host.loaded.models)
        runs: list[Run] = []

        def make() -> Run:
            runs.append(_evaluation(entry, others))
            return runs[0]

        self.runner.start(
            make,
            make_preview=lambda _run, step: step.lights,
            finish=lambda result: Measured(runs[0].last.lights, str(result.reason)),  # type: ignore[union-attr]
            context=entry,
        )

    @Slot()
    def _on_preview(self) -> None:
        if self.runner.job is not None:
            self._keep(self.runner.job.context, self.runner.preview)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.failure is not None:
            self.failed.emit(outcome.failure.sentence)
        elif outcome.result is not None:
            self._keep(outcome.job.context, outcome.result.lights)

    def _keep(self, run: AttackRun, lights: tuple[Light, ...]) -> None:
        from engine.evaluate.trust import merged

        keep_lights(run, merged(lights_of(run), lights), measured=True)
        self.changed.emit()


def _is_open(light: Light) -> bool:
    """Return whether a light is still to be measured."""
    from engine.evaluate.trust.evaluation import NOT_YET

    return light.state == "not measured" and light.why == NOT_YET


def _others(classifier: Classifier, models: Sequence[Classifier]) -> tuple[Classifier, ...]:
    """Return the loaded model from which images are transferred: another one with the same classes."""
    fitting = (model for model in models if model.fingerprint != classifier.fingerprint and model.labels == classifier.labels)
    return tuple(fitting)[:1]


def _inputs(entry: AttackRun) -> Mapping[str, Any]:
    """Return the inputs of a run's examination. Called in an engine thread."""
    mask = mask_of(entry)
    return {"mask": None if mask is None else mask[None], "seed": entry.inputs.seed}


def _at_once(subject: Subject) -> tuple[Subject, tuple[Light, ...] | str]:
    """Measure the cheap lights, or return why there are none. Called in the lane's thread."""
    from engine.errors import GibbonError
    from engine.evaluate.trust import lights_at_once, lights_of_image

    try:
        if subject.run is not None:
            return subject, lights_at_once(subject.run.result, **_inputs(subject.run))
        return subject, lights_of_image(subject.classifier, subject.clean, subject.label)
    except GibbonError as error:
        return subject, str(error)


def _evaluation(entry: AttackRun, others: tuple[Classifier, ...]) -> Run:
    """Start the examination of a run. Called in the lane's thread."""
    import engine
    from engine.evaluate.trust import TrustLights

    result, begin = entry.result, entry.inputs.begin
    return engine.start(
        TrustLights.of_result(result),
        result.classifier,
        result.clean,
        labels=result.labels,
        targets=result.targets,
        models=others,
        start=None if begin is None or "start" not in result.operation.uses else begin[None],
        **_inputs(entry),
    )
