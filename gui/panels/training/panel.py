"""The Training dock: which network is trained, on which images, and how; and the training in progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QLineEdit, QSpinBox, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.forms import Form
from gui.lanes.progress_text import ShareMeter
from gui.panels.training.last import keep_last, last_recipe
from gui.panels.training.presets import RecipePresets
from gui.panels.training.recorded import place_of, source_beside
from gui.panels.training.start import Start, starts_from
from gui.panels.training.unfinished import UnfinishedTrainings
from gui.session.data_choice import Choice
from gui.session.training.recipe import Recipe
from gui.session.training.recorded import Recorded
from gui.theme import GRID
from gui.widgets import DataChooser, scrolling
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.job_foot import JobFoot

if TYPE_CHECKING:
    from engine.defenses import Train
    from engine.record import TrainingRecord
    from gui.session.session import Session

_HIDDEN = ("checkpoint", "fresh")
"""Parameters without a row: the window keeps checkpoints by itself, and where to start from has a chooser of its own."""
_BASIC = ("activation", "epochs", "batch_size", "learning_rate")
"""Parameters that are in sight at first."""
_IMAGES = 60_000
_DRAWN = 4_300


class TrainingPanel(QWidget):
    """A recipe: the network to start from, the images, the parameters of the operation, a name and a seed."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.trainer = session, session.trainer
        self._starts: list[Start] = []
        self._meter = ShareMeter()
        self._named = False
        """Whether the user has typed a name."""
        self.start = ElidedCombo(self)
        self.start.setAccessibleName("Start from")
        self.chooser = DataChooser(
            session.data_sources, self, count=_IMAGES, drawn=_DRAWN, count_tip="How many images to train on, at most"
        )
        self.name = QLineEdit(self)
        self.name.setAccessibleName("Name of the trained network")
        self.name.setToolTip("The name of the trained network in lists and on its card")
        self.seed = QSpinBox(self)
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setMinimumWidth(64)
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Of new weights, the order of the images and their augmentation: the same seed trains the same network again")
        self.form = Form(self, says_errors=False, folds=True)
        self.presets = RecipePresets(self.form, self)
        self.foot = JobFoot("Train", "End it at its next step; the network so far is kept, and the training can be resumed later", self)
        self.time_button = QToolButton(self)
        self.time_button.setIcon(theme.icon("mdi6.timer-outline"))
        self.time_button.setAccessibleName("How long?")
        self.time_button.setToolTip("Measure how long this training would take, by 20 steps on a copy")
        self.unfinished = UnfinishedTrainings(self.trainer, self)
        self._lay_out()
        self._connect()
        self._on_models()

    def _lay_out(self) -> None:
        rows = self.chooser.rows
        self.foot.buttons.insertWidget(1, self.time_button)
        self.chooser.split.hide()  # a training takes the training images, and tests on the others
        rows.insertRow(0, "start from", self.start)
        rows.addRow("name", self.name)
        rows.addRow("seed", self.seed)
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.chooser)
        column.addWidget(self.form)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID, 4, GRID, GRID)
        whole.setSpacing(4)
        whole.addWidget(self.unfinished)
        whole.addWidget(scrolling(inner), 1)
        whole.addWidget(self.foot)

    def _connect(self) -> None:
        session, trainer = self.session, self.trainer
        session.engineReady.connect(self._on_ready)
        session.loaded.changed.connect(self._on_models)
        session.classifierChanged.connect(self._on_models)
        self.start.currentIndexChanged.connect(self._on_start)
        self.chooser.changed.connect(self._on_edited)
        self.form.changed.connect(self._on_edited)
        self.name.textEdited.connect(self._on_named)
        self.foot.started.connect(self.train)
        self.time_button.clicked.connect(self.measure)
        trainer.timing.changed.connect(self._on_progress)
        self.foot.paused.connect(trainer.pause)
        self.foot.cancelled.connect(self._cancel)
        trainer.changed.connect(self._refresh)
        trainer.progressed.connect(self._on_progress)
        if session.ready:
            self._on_ready()

    # ------------------------------------------------------------------ the network to start from

    @Slot()
    def _on_ready(self) -> None:
        from engine.defenses import Train

        self.form.set_operation(Train, without=_HIDDEN, basic=_BASIC)
        self.presets.show_presets(Train)
        self.form.recipes["recipe"].head.insertWidget(1, self.presets)
        self._on_models()
        self._use_last()
        self.trainer.look()

    @Slot()
    def _on_models(self) -> None:
        """List the networks that a training can start from; the chosen one stays chosen."""
        if not self.session.ready:
            return
        before = self._chosen
        self._starts = starts_from(self.session.loaded.models)
        with QSignalBlocker(self.start):
            self.start.clear()
            self.start.addItems([each.title for each in self._starts])
            self.start.setCurrentIndex(self._place_of(before))
        if before is None or self._chosen is None or self._chosen.key != before.key:
            self._on_start()  # only then, since it suggests other images than those that the user may have chosen
        else:
            self._refresh()

    def _place_of(self, before: Start | None) -> int:
        places = (i for i, each in enumerate(self._starts) if before is not None and each.key == before.key)
        kind = self._kind()
        ours = (i for i, each in enumerate(self._starts) if before is None and each.architecture == kind)
        return next(places, next(ours, 0))

    def _kind(self) -> str:
        from gui.session.swap_model import sample_kind

        return "" if self.session.classifier is None else sample_kind(self.session.classifier)

    @property
    def _chosen(self) -> Start | None:
        place = self.start.currentIndex()
        return self._starts[place] if 0 <= place < len(self._starts) else None

    @Slot()
    def _on_start(self) -> None:
        from gui.session.swap_model import sample_kind

        chosen = self._chosen
        if chosen is None:
            return
        self.start.setToolTip(chosen.tip)
        self.chooser.suggest(chosen.architecture if chosen.classifier is None else sample_kind(chosen.classifier))
        if not self._named:
            self.name.setText(chosen.name)
        self._refresh()

    @Slot()
    def _on_named(self) -> None:
        self._named = bool(self.name.text().strip())
        self._refresh()

    def _use_last(self) -> None:
        """Set up the training that was begun last, as far as its network and its images are here."""
        last = last_recipe()
        if last is None:
            return
        places = (place for place, each in enumerate(self._starts) if last.architecture and each.architecture == last.architecture)
        self.start.setCurrentIndex(next(places, self.start.currentIndex()))
        self._use(last.data, last.count, last.operation, last.seed)
        if self._chosen is not None and last.name != self._chosen.name:
            self.name.setText(last.name)
            self._named = True
        self._refresh()

    def _use(self, data: str, count: int, operation: Train, seed: int) -> None:
        """Fill in the images, if they are here, the parameters and the seed."""
        if self.chooser.sets.findData(data) >= 0:
            self.chooser.set_choice(Choice(data, "", count, self.session.data_sources.root))
        self.form.set_values({field.name: getattr(operation, field.name) for field in self.form.fields})
        self.seed.setValue(seed)

    # ------------------------------------------------------------------ a recorded training

    def show_record(self, record: TrainingRecord, path: Path) -> None:
        """Set a recorded training up, so that Train makes it again. What is missing is said, and nothing is changed."""
        from engine.errors import GibbonError

        try:
            source, operation = source_beside(record, path), record.train
            place = place_of([(each.architecture, each.classifier, each.fresh) for each in self._starts], record, source, path)
            if source.data.startswith("folder:"):
                self.session.data_sources.add_folder(Path(source.data.removeprefix("folder:")))
            if self.chooser.sets.findData(source.data) < 0:
                raise GibbonError(f"{record.name} was trained on {source.data}, which is not on this machine. Fetch it in the Image dock.")
        except GibbonError as error:
            self.session.log("error", str(error))
            return
        self.start.setCurrentIndex(place)
        self._use(source.data, source.count or _IMAGES, operation, record.seed)
        self.name.setText(record.name)
        self._named = True
        self.trainer.recorded = Recorded(record, path.name)
        self._refresh()
        self.session.notice.emit(f"The training of {record.name} is set up as {path.name} records it. Train makes it again.")

    # ------------------------------------------------------------------ running

    @property
    def obstacle(self) -> str:
        """The reason why a training cannot start; empty if it can."""
        if self.trainer.job is not None:
            return "A training is under way."
        chosen = self._chosen
        if chosen is None:
            return "The engine is still loading."
        problems = self._problems(chosen)
        if self.form.operation is None or problems:
            return self.form.error or next(iter(problems.values()))
        if self.chooser.choice is None:
            return "Choose a data set."
        if not self.name.text().strip():
            return "Give the trained network a name."
        return self._misfit(chosen)

    def _problems(self, chosen: Start) -> dict[str, str]:
        """Return why parts of the recipe do not fit the network or its batches, by slug; they say so beside themselves, too."""
        recipe, operation = self.form.recipes.get("recipe"), self.form.operation
        if recipe is None or operation is None:
            return {}
        module, classes = chosen.network
        problems: dict[str, str] = operation.misfits(module, min(operation.batch_size, self.chooser.count.value()), classes, chosen.subject)
        recipe.say(problems)
        return problems

    def _misfit(self, chosen: Start) -> str:
        """Refuse images with other channels than the network takes; their size is fitted."""
        from engine.models import ARCHITECTURES

        choice = self.chooser.choice
        wanted = ARCHITECTURES[chosen.architecture].input_shape if chosen.classifier is None else chosen.classifier.native_shape
        shape = None if choice is None else self.session.data_sources.shape_of(choice.name)
        if choice is None or shape is None or shape[0] == wanted[0]:
            return ""
        ours, theirs = ({1: "grey", 3: "coloured"}.get(channels, f"of {channels} channels") for channels in (shape[0], wanted[0]))
        return f"The images of {choice.title} are {ours}, but those of the network are {theirs}. Choose another data set or network."

    @Slot()
    def train(self) -> None:
        """Train by the recipe, in the background lane."""
        recipe = self.recipe
        if recipe is not None:
            keep_last(recipe)
            self.trainer.start(recipe)

    @Slot()
    def _cancel(self) -> None:
        (self.trainer.cancel if self.trainer.job is not None else self.trainer.timing.cancel)()

    @Slot()
    def measure(self) -> None:
        """Measure how long the training would take, or end the measurement."""
        timing, recipe = self.trainer.timing, self.recipe
        if timing.running:
            timing.cancel()
        elif recipe is not None:
            timing.start(recipe)

    @property
    def recipe(self) -> Recipe | None:
        """The training that is set up; None where it cannot start."""
        chosen, choice, operation = self._chosen, self.chooser.choice, self.form.operation
        if self.obstacle or chosen is None or choice is None or operation is None:
            return None
        classifier = self.session.classifier
        return Recipe(
            operation=operation.model_copy(update={"fresh": chosen.fresh}),
            architecture=chosen.architecture,
            classifier=chosen.classifier,
            data=choice.name,
            data_title=choice.title,
            count=choice.count,
            root=choice.root,
            name=self.name.text().strip(),
            seed=self.seed.value(),
            device=None if classifier is None else str(classifier.device),
        )

    @Slot()
    def _on_edited(self) -> None:
        self.trainer.timing.forget()
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        self.foot.allow(self.obstacle, "Train this network; attacking goes on meanwhile")
        self._on_progress()

    @Slot()
    def _on_progress(self) -> None:
        job, timing = self.trainer.job, self.trainer.timing
        shown = job or timing.runner.job
        self.foot.show_job(shown, "" if shown is None else self._meter.words(shown))
        self.foot.pause.setEnabled(job is not None and not job.cancelled)
        self.time_button.setEnabled(job is None and (timing.running or self.foot.run.isEnabled()))
        self._say()

    def _say(self) -> None:
        """Say why it cannot start, why the last one failed, or how long it would take."""
        timing, obstacle = self.trainer.timing, self.foot.run.toolTip() if not self.foot.run.isEnabled() else ""
        if self.trainer.job is not None or not self.session.ready:
            self.foot.message.say("")
        elif obstacle:
            self.foot.message.say(obstacle, "error" if self._is_mistake(obstacle) else "hint")
        elif timing.words:
            self.foot.message.say(timing.words, "error" if timing.failed else "hint")
        else:
            self.foot.message.say(self.trainer.failure)

    def _is_mistake(self, obstacle: str) -> bool:
        recipe = self.form.recipes.get("recipe")
        return bool(self.form.error) or (recipe is not None and bool(recipe.error) and obstacle == recipe.error)
