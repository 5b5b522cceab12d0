"""The Training curves dock: the live curves of a training, two histories laid over each other, and the networks to attack and to save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.panels.curves.choosing import TrainingChoice
from gui.panels.curves.plots import TrainingPlots
from gui.session.swap_model import swap_classifier
from gui.session.training.run import TrainingRun, model_of, name_of, record_of
from gui.session.training.shown import Shown, live, of_run
from gui.settings import Settings
from gui.theme import GRID
from gui.widgets import EmptyState, Message
from gui.widgets.asked_file import ask_file
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine import Classifier
    from engine.artifacts import Model
    from gui.session.history import FinishedRun
    from gui.session.session import Session

_NOTHING = "The curves of a training appear here while it runs: its loss, its accuracy with and without an attack, its activations."


class CurvesPanel(QWidget):
    """Follows the session's trainer."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.trainer = session, session.trainer
        self.marked: int | None = None
        """The epoch whose marker was clicked; None: the network at the end."""
        self._of: object = None
        """The training that ``marked`` is an epoch of."""
        self._views: dict[int, Shown] = {}
        self.choice, self.over = TrainingChoice("Training that is shown", self), TrainingChoice("Training laid over it", self)
        self.heading = Sentence(2, bold=True, snug=True, parent=self)
        self.plots = TrainingPlots(self)
        self.message = Message(self)
        self.use_button = QPushButton(theme.icon("mdi6.bullseye-arrow"), "Attack it", self)
        self.save_button, self.remove_button = QToolButton(self), QToolButton(self)
        self._pages = QStackedLayout(self)
        self._lay_out()
        trainer = self.trainer
        trainer.changed.connect(self._show)
        trainer.progressed.connect(self._show_curves)
        self.choice.picked.connect(trainer.choose)
        self.over.picked.connect(trainer.lay_over)
        self.plots.picked.connect(self.take_epoch)
        self.use_button.clicked.connect(self._use)
        self.save_button.clicked.connect(self._choose_file)
        self.remove_button.clicked.connect(self._remove)
        self._show()

    def _lay_out(self) -> None:
        self.use_button.setToolTip("Make this network the model under study, and go to the Attack workspace")
        for button, icon, name, tip in (
            (self.save_button, "mdi6.content-save-outline", "Save", "Write the weights (.safetensors) and, beside them, the card (.json)"),
            (self.remove_button, "mdi6.close", "Remove", "Take this training off the list; undo brings it back"),
        ):
            button.setIcon(theme.icon(icon))
            button.setAutoRaise(True)
            button.setAccessibleName(name)
            button.setToolTip(tip)
        self.choice.setToolTip("The training whose curves are shown")
        self.over.setToolTip("Lay the curves of another training over these, dashed")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.choice, 3)
        row.addWidget(self.over, 3)
        for widget in (self.use_button, self.save_button, self.remove_button):
            row.addWidget(widget)
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, 4, GRID, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.heading)
        layout.addWidget(self.plots, 1)
        layout.addWidget(self.message)
        self._pages.addWidget(EmptyState(_NOTHING, "mdi6.chart-line", self))
        self._pages.addWidget(body)

    # ------------------------------------------------------------------ following the trainer

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    @Slot()
    def _show(self) -> None:
        trainer, run = self.trainer, self.trainer.chosen
        runs = trainer.runs
        self._pages.setCurrentIndex(1 if runs or trainer.job is not None else 0)
        running = None if trainer.job is None or trainer.recipe is None else f"{trainer.recipe.name}, running"
        self.choice.show_runs(runs, run, running or ("none" if run is None else ""))
        others = tuple(each for each in runs if each is not run)
        self.over.show_runs(others, trainer.over, "no other one laid over it")
        self.over.setEnabled(bool(others))
        subject = trainer.making if run is None else run.number
        if subject != self._of:
            self._of, self.marked = subject, None
        self._views = {number: view for number, view in self._views.items() if any(each.number == number for each in runs)}
        self._allow()
        self._show_curves()

    def _allow(self) -> None:
        run = self.trainer.chosen
        there = run is not None or self.marked is not None
        self.use_button.setText("Attack it" if self.marked is None else f"Attack epoch {self.marked}")
        self.use_button.setEnabled(there)
        self.save_button.setEnabled(there)
        self.remove_button.setEnabled(run is not None)

    @Slot()
    def _show_curves(self) -> None:
        """Show the curves of the chosen training, or of the one in progress, if the dock is visible."""
        if not self.isVisible():
            return
        run, over = self.trainer.chosen, self.trainer.over
        shown = live(self.trainer) if run is None else self._view(run)
        self.heading.set_text("" if shown is None else shown.heading)
        self.plots.show_training(shown, None if over is None else self._view(over), self.marked)

    def _view(self, run: FinishedRun) -> Shown:
        if run.number not in self._views:
            self._views[run.number] = of_run(run, self.trainer.base)
        return self._views[run.number]

    # ------------------------------------------------------------------ from the user

    @Slot(int)
    def take_epoch(self, epoch: int) -> None:
        """Take the network of an epoch among the loaded models, and let the buttons be about it."""
        self.marked = epoch
        make, session = self._network(), self.session
        self._allow()
        self._show_curves()

        def then(classifier: Classifier) -> None:
            session.loaded.add(classifier)
            session.notice.emit(f"{classifier.name} is among the loaded models. “Attack epoch {epoch}” makes it the one under study.")

        session.ask("epoch", make, then, what=f"Loading epoch {epoch}", failed=self.message.say)

    def _network(self) -> Callable[[], Classifier]:
        """Return the function that makes the classifier of the marked epoch, or of the training's end. For the engine's thread."""
        run, epoch = self.trainer.chosen, self.marked
        shown = live(self.trainer) if run is None else self._view(run)
        path = None if shown is None or epoch is None else shown.files.get(epoch)
        if path is None and run is not None:
            path = self.trainer.saved.get(run.number)
        device = None if self.session.classifier is None else str(self.session.classifier.device)

        def make() -> Classifier:
            import engine

            if path is not None:  # a file, so that records name it
                return engine.models.load(str(path), device=device)
            assert run is not None
            return run.classifier if isinstance(run, TrainingRun) else engine.defenses.classifier_of(model_of(run), device)

        return make

    @Slot()
    def _use(self) -> None:
        """Make the network the model under study, and show where it is attacked."""

        def done(classifier: Classifier) -> None:
            self.session.notice.emit(f"{classifier.name} is the model now.")
            self.session.places.go("attack", back=("defend", "curves"))

        swap_classifier(self.session, self._network(), busy="Loading the network…", done=done, failed=self.message.say)

    @Slot()
    def _remove(self) -> None:
        if self.trainer.chosen is not None:
            self.trainer.remove(self.trainer.chosen)

    @Slot()
    def _choose_file(self) -> None:
        run, recipe, settings = self.trainer.chosen, self.trainer.recipe, Settings()
        name = name_of(run) if run is not None else recipe.name if recipe is not None else "network"
        name = name if self.marked is None else f"{name}-epoch-{self.marked}"
        proposed = settings.folder("models") / f"{name}.safetensors"
        path = ask_file(self, "Save the trained network", proposed, "Weights (*.safetensors)")
        if path is not None:
            settings.keep_folder("models", path.parent)
            self.save(path)

    def save(self, path: Path) -> None:
        """Write the weights of the shown network and its card; beside those of a training's end its record, from which it is made again."""
        self.message.say("")
        run, epoch, make = self.trainer.chosen, self.marked, self._network()

        def write() -> tuple[Path, ...]:
            from engine.artifacts import Model
            from engine.defenses import save_model

            classifier = make()
            model: Model = model_of(run) if run is not None and epoch is None else Model(classifier.module, classifier.card)
            files = save_model(model, path)
            record = None if run is None or epoch is not None else record_of(run)
            return files if record is None else (*files, record.write(files[0].with_suffix(".training.json")))

        def then(files: tuple[Path, ...]) -> None:
            if run is not None and epoch is None:
                self.trainer.note_saved(run, files[0])
            *names, last = (file.name for file in files)
            sentence = f"Wrote {', '.join(names)} and {last} into {files[0].parent}."
            self.session.log("info", sentence)
            self.message.say(sentence, "hint")

        self.session.ask("export", write, then, what="Saving the network", failed=self.message.say, keep=True)
