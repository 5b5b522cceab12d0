"""Trainer: trainings in the background lane, one at a time, and those that have ended. The docks of training follow it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.readings import Series
from gui.lanes.runner import OperationRunner
from gui.session.training.folders import TrainingFolder, Unfinished, clear_old, new_folder, trainings_folder, unfinished
from gui.session.training.making import Loaded, Making, Seen, Trained
from gui.session.training.points import keep_points, kept_points
from gui.session.training.recipe import Recipe, facts_of, recipe_of
from gui.session.training.recorded import Recorded
from gui.session.training.run import TrainingRun, is_training, verdict_of
from gui.session.training.timing import Timing

if TYPE_CHECKING:
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.history import FinishedRun, History
    from gui.session.jobs import Jobs
    from gui.session.loaded_models import LoadedModels
    from gui.session.log_entry import LogKind

_TICK_MS = 100


class Host(Protocol):
    """The part of the session that the trainer needs."""

    background: EngineThread
    history: History
    jobs: Jobs
    loaded: LoadedModels
    ready: Any

    def log(self, kind: LogKind, text: str, details: str = "") -> None: ...
    def adopt(self, entry: FinishedRun) -> bool: ...
    def remove_runs(self, *numbers: int) -> None: ...


class Trainer(QObject):
    """Runs trainings. A cancelled one keeps its network so far, and can be resumed from its checkpoint, after another start, too."""

    changed = Signal()
    """A training began, was paused, resumed or cancelled, or ended; or other trainings are looked at, or one was saved or removed."""
    progressed = Signal()
    """A training has made progress: read ``job`` and ``making``."""
    imagesSeen = Signal()
    """``seen`` is new: the images of a batch."""
    unfinishedChanged = Signal()
    """The list of trainings that can be resumed has changed."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.base = trainings_folder()
        """The folder in which trainings are kept."""
        self.unfinished: tuple[Unfinished, ...] = ()
        """The trainings that can be resumed, the newest first."""
        self.making: Making | None = None
        """The newest training's work; its ``history`` holds the finished epochs."""
        self.recipe: Recipe | None = None
        """The recipe of the newest training."""
        self.failure = ""
        """The sentence of the newest training, if it has failed."""
        self.seen: Seen | None = None
        """The newest images that a network was trained on."""
        self.images_wanted: Callable[[], bool] = lambda: False
        """Returns whether anyone looks at the images at the moment."""
        self.saved: dict[int, Path] = {}
        """The files to which networks were saved, by the number of the run."""
        self._folder: TrainingFolder | None = None
        self._loaded = Loaded()
        self.recorded: Recorded | None = None
        """The record that was opened last: the training that makes it again is compared with it."""
        self._chosen: int | None = None
        self._over: int | None = None
        self._listed: tuple[FinishedRun, ...] = ()
        self.runner = OperationRunner(session.background, "training", self, every_ms=_TICK_MS, previews=lambda: self.images_wanted())
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self.progressed)
        self.runner.previewed.connect(self._on_seen)
        self.runner.ended.connect(self._on_ended)
        self.pause, self.cancel = self.runner.pause, self.runner.cancel
        session.jobs.watch(self.runner, "training", lambda: "Train" if self.recipe is None else f"Train {self.recipe.name}")
        self.timing = Timing(session.background, self._loaded, self)
        session.jobs.watch(self.timing.runner, "training", lambda: "Time a training")
        session.history.changed.connect(self._on_history)

    # ------------------------------------------------------------------ the trainings

    @property
    def job(self) -> Job | None:
        """The training in progress, paused or not; None if there is none."""
        return self.runner.job

    @property
    def series(self) -> Series | None:
        """The readings of the training in progress."""
        return None if self.job is None else self.job.series

    @property
    def runs(self) -> tuple[FinishedRun, ...]:
        """The trainings that have ended, the newest last: those of this window and those of its study."""
        return tuple(run for run in self._session.history.entries if is_training(run))

    @property
    def chosen(self) -> FinishedRun | None:
        """The training whose curves are looked at; None: the one in progress."""
        return self._find(self._chosen)

    @property
    def over(self) -> FinishedRun | None:
        """The training whose curves are laid over those of the chosen one; None: none is."""
        return None if self._over == self._chosen else self._find(self._over)

    def _find(self, number: int | None) -> FinishedRun | None:
        return next((run for run in self.runs if run.number == number), None)

    def choose(self, run: FinishedRun | None) -> None:
        """Look at a training that has ended; None: at the one in progress."""
        if run is not self.chosen:
            self._chosen = None if run is None else run.number
            self._over = None if self._over == self._chosen else self._over
            self.changed.emit()

    def lay_over(self, run: FinishedRun | None) -> None:
        """Lay the curves of another training over those that are looked at; None takes them away."""
        if run is not self.over:
            self._over = None if run is None else run.number
            self.changed.emit()

    def remove(self, run: FinishedRun) -> None:
        """Remove a training from the history, as an undo step. Its network stays with the loaded models."""
        self._session.remove_runs(run.number)

    def note_saved(self, run: FinishedRun, path: Path) -> None:
        """Remember the file of a trained network."""
        self.saved[run.number] = path
        self.changed.emit()

    @Slot()
    def _on_history(self) -> None:
        if self.runs != self._listed:
            self._listed = self.runs
            if self.job is None and self.chosen is None and self.runs:
                self._chosen = self.runs[-1].number
            self.changed.emit()

    # ------------------------------------------------------------------ starting and going on

    def start(self, recipe: Recipe) -> None:
        """Begin a training. Its curves come into view."""
        try:
            clear_old(self.base)
            folder = new_folder(self.base, facts_of(recipe))
        except OSError as error:
            self._refuse(f"The folder for the checkpoints, {self.base}, cannot be written ({error.strerror}). Make room or allow it.")
            return
        self._begin(recipe, folder)

    def resume(self, which: Unfinished) -> None:
        """Resume a training that was cancelled or interrupted: it ends with the same weights as without the interruption."""
        from engine.errors import GibbonError

        if not which.folder.hold():
            self._refuse(f"{which.name} is running in another window.")
            return
        try:
            recipe = recipe_of(which.facts)
        except GibbonError as error:
            which.folder.release()
            self._refuse(str(error))
            return
        which.folder.note(status="running")
        self._begin(recipe, which.folder)

    def discard(self, which: Unfinished) -> None:
        """Remove a training that could be resumed, with its checkpoint, from the disk."""
        if which.folder.hold():
            which.folder.remove()
        self.look()

    def look(self) -> None:
        """Look for trainings that can be resumed."""
        own = None if self.job is None or self._folder is None else self._folder.path
        self.unfinished = unfinished(self.base, but=own)
        self.unfinishedChanged.emit()

    def _refuse(self, sentence: str) -> None:
        self.failure = sentence
        self._session.log("error", sentence)
        self.look()
        self.changed.emit()

    def _begin(self, recipe: Recipe, folder: TrainingFolder) -> None:
        self.timing.cancel()
        self.recipe, self._folder, self._chosen, self.failure, self.seen = recipe, folder, None, "", None
        earlier = kept_points(folder.path) if folder.state.exists() else None
        series = Series() if earlier is None else earlier[0]
        made = self.making = Making(recipe, self._loaded, folder, series)
        self.runner.start(
            made.run,
            make_preview=made.seen,
            prepare=made.prepare,
            finish=made.finish,
            collect=True,
            series=series,
            context=(recipe, folder),
        )
        self.look()

    # ------------------------------------------------------------------ from the lane

    @Slot()
    def _on_seen(self) -> None:
        self.seen = self.runner.preview
        self.imagesSeen.emit()

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        (recipe, folder), trained = outcome.job.context, outcome.result
        if outcome.failure is not None:
            self._session.log("error", outcome.failure.sentence, outcome.failure.details)
            self.failure = outcome.failure.sentence
        if outcome.job.series is not None and outcome.job.total is not None:
            keep_points(folder.path, outcome.job.series, outcome.job.total + 1)
        folder.end(outcome.status, **({} if trained is None else {"key": trained.key}))
        if trained is not None:
            self._keep(recipe, folder, trained, outcome)
        elif outcome.failure is None:
            self._session.log("info", f"The training of {recipe.name} was cancelled before its first step.")
        self.look()
        self.changed.emit()

    def _keep(self, recipe: Recipe, folder: TrainingFolder, trained: Trained, outcome: JobOutcome) -> None:
        """Add a training to the history, and its network to the loaded models."""
        ended = "" if outcome.status == "finished" else f" ({outcome.status} after {trained.epochs} of {recipe.operation.epochs} epochs)"
        card = trained.result.artifacts["model"].card
        run = TrainingRun(
            result=trained.result,
            verdict=verdict_of(recipe.name, ended, trained.accuracy, trained.tested_on, card.get("held_out", {})),
            recipe=recipe,
            classifier=trained.classifier,
            accuracy=trained.accuracy,
            tested_on=trained.tested_on,
            epochs=trained.epochs,
            steps=(outcome.job.total or 0) + 1,
            series=outcome.job.series or Series(),
            folder=folder.path,
        )
        self._chosen = run.number
        self._session.log("info", f"Trained {run.verdict}.")
        self._session.loaded.add(trained.classifier)
        self._session.adopt(run)
        sentence = "" if self.recorded is None else self.recorded.compared(run)
        if sentence:
            self._session.log("info", sentence)
