"""Trainer: trainings in the background lane, one at a time, and those that have ended. The docks of training follow it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.history import FinishedRun

if TYPE_CHECKING:
    from engine import Classifier
    from engine.data import DataSet
    from engine.defenses import Train
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import Job, JobOutcome
    from gui.lanes.readings import TracePoint
    from gui.session.jobs import Jobs
    from gui.session.log_entry import LogKind

TEST_IMAGES = 2000
"""Images, at most, on which a trained network is tested: more would keep the lane for long after the last step."""
_TICK_MS = 100


@dataclass(frozen=True, eq=False)
class Recipe:
    """Everything that a training is made from, fixed at its start."""

    operation: Train
    architecture: str
    """The name of the architecture of a new network; empty: ``classifier`` is trained."""
    classifier: Classifier | None
    data: str
    """The data set's name in the engine."""
    data_title: str
    count: int
    """Number of images to train on, at most."""
    root: Path | None
    name: str
    """The name of the trained network."""
    seed: int
    device: str | None


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingRun(FinishedRun):
    """A training that has ended, with its network as a classifier."""

    recipe: Recipe
    classifier: Classifier
    accuracy: float
    tested_on: str
    epochs: int
    """Number of finished epochs."""
    trace: tuple[TracePoint, ...] = ()
    """The readings of the training's steps, thinned."""
    steps: int
    """Number of steps of a whole training, with which the curves count epochs."""
    path: Path | None = None
    """The file to which the network was saved; None: it was not."""


@dataclass(frozen=True, eq=False)
class _Trained:
    """The outcome of a training, made in the lane's thread."""

    result: Any
    classifier: Classifier
    accuracy: float
    tested_on: str
    epochs: int

    @property
    def reason(self) -> str:
        """The reason why the training ended."""
        return str(self.result.reason)


class Host(Protocol):
    """The part of the session that the trainer needs."""

    background: EngineThread
    jobs: Jobs

    def log(self, kind: LogKind, text: str, details: str = "") -> None: ...
    def adopt(self, entry: FinishedRun) -> bool: ...


class Trainer(QObject):
    """Runs trainings. A cancelled one keeps its network so far."""

    changed = Signal()
    """A training began, was paused, resumed or cancelled, or ended; or another one is chosen, or was saved."""
    progressed = Signal()
    """A training has made progress: read ``job``."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.runs: tuple[TrainingRun, ...] = ()
        """The trainings that have ended, the newest last."""
        self.chosen: TrainingRun | None = None
        """The training whose curves are looked at; None: the one in progress."""
        self.recipe: Recipe | None = None
        """The recipe of the newest training."""
        self.failure = ""
        """The sentence of the newest training, if it has failed."""
        self.runner = OperationRunner(session.background, "training", self, every_ms=_TICK_MS)
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self.progressed)
        self.runner.ended.connect(self._on_ended)
        self.pause, self.cancel = self.runner.pause, self.runner.cancel
        session.jobs.watch(self.runner, "training", lambda: "Train" if self.recipe is None else f"Train {self.recipe.name}")

    @property
    def job(self) -> Job | None:
        """The training in progress, paused or not; None if there is none."""
        return self.runner.job

    def start(self, recipe: Recipe) -> None:
        """Begin a training. Its curves come into view."""
        self.recipe, self.chosen, self.failure = recipe, None, ""
        made = _Making(recipe)
        self.runner.start(made.run, prepare=made.prepare, finish=made.finish, collect=True, context=recipe)

    def choose(self, run: TrainingRun | None) -> None:
        """Look at a training that has ended; None: at the one in progress."""
        if run is not self.chosen:
            self.chosen = run
            self.changed.emit()

    def remove(self, run: TrainingRun) -> None:
        """Remove a training from the list. Its network stays with the loaded models, if it is used."""
        self.runs = tuple(each for each in self.runs if each is not run)
        self.chosen = None if self.chosen is run else self.chosen
        self.changed.emit()

    def note_saved(self, run: TrainingRun, path: Path) -> None:
        """Remember the file of a trained network."""
        saved = replace(run, path=path)
        self.runs = tuple(saved if each is run else each for each in self.runs)
        self.chosen = saved if self.chosen is run else self.chosen
        self.changed.emit()

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        recipe: Recipe = outcome.job.context
        session, trained = self._session, outcome.result
        if outcome.failure is not None:
            session.log("error", outcome.failure.sentence, outcome.failure.details)
            self.failure = outcome.failure.sentence
        if trained is None:
            if outcome.failure is None:
                session.log("info", f"The training of {recipe.name} was cancelled before its first step.")
            self.changed.emit()
            return
        ended = "" if outcome.status == "finished" else f" ({outcome.status} after {trained.epochs} of {recipe.operation.epochs} epochs)"
        verdict = f"{recipe.name}{ended}: {100 * trained.accuracy:.2f} % right on {trained.tested_on}"
        run = TrainingRun(
            result=trained.result,
            verdict=verdict,
            recipe=recipe,
            classifier=trained.classifier,
            accuracy=trained.accuracy,
            tested_on=trained.tested_on,
            epochs=trained.epochs,
            trace=outcome.job.trace,
            steps=(outcome.job.total or 0) + 1,
        )
        self.runs = (*self.runs, run)
        self.chosen = run
        session.log("info", f"Trained {verdict}.")
        session.adopt(run)
        self.changed.emit()


class _Making:
    """The engine's work for one training. Its methods are called in the lane's thread."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._data: tuple[DataSet, DataSet] | None = None
        self._untrained: Classifier | None = None

    def prepare(self) -> Iterator[str]:
        """Load the images to train on and those to test on."""
        from engine.data import loading_train_and_test
        from engine.models import ARCHITECTURES

        recipe = self._recipe
        shape = ARCHITECTURES[recipe.architecture].input_shape if recipe.classifier is None else recipe.classifier.native_shape
        bits = loading_train_and_test(
            recipe.data, recipe.root, seed=recipe.seed, size=shape[1:], count=recipe.count, test_count=min(recipe.count, TEST_IMAGES)
        )
        told = time.perf_counter()
        while True:
            try:
                done, of = next(bits)
            except StopIteration as end:
                self._data = end.value
                return
            if time.perf_counter() >= told:
                told = time.perf_counter() + _TICK_MS / 1000
                yield f"loading {recipe.data_title}, {done:,} of {of:,}"

    def run(self) -> Any:
        """Start the training, after checking that the network can be tested on the test images."""
        import engine
        from engine.models import ARCHITECTURES

        assert self._data is not None
        recipe, (images, test) = self._recipe, self._data
        untrained = recipe.classifier
        if untrained is None:
            architecture = ARCHITECTURES[recipe.architecture]
            images, test = architecture.images_for(images), architecture.images_for(test)
            untrained = architecture.untrained(device=recipe.device, labels=architecture.labels_for(images))
        test.targets_for(untrained.labels, untrained.name)  # refused before the training, not after it
        self._untrained, self._data = untrained, (images, test)
        return engine.start(recipe.operation, untrained, data=images, seed=recipe.seed)

    def finish(self, result: Any) -> _Trained:
        """Make a classifier of the trained network, and test it."""
        from engine.defenses import accuracy, classifier_of

        assert self._data is not None
        assert self._untrained is not None
        model, (_, test) = result.artifacts["model"], self._data
        facts = {"name": self._recipe.name, "seed": self._recipe.seed}
        named = replace(model, card={**model.card, **facts})
        classifier = classifier_of(named, device=self._untrained.device)
        share = accuracy(classifier, test)
        tested_on = f"{test.name} ({len(test):,} images)"
        card = {**named.card, "accuracy": share, "tested_on": tested_on}
        whole = replace(result, artifacts={**result.artifacts, "model": replace(named, card=card)})
        return _Trained(whole, classifier, share, tested_on, len(model.history.x) if model.history is not None else 0)
