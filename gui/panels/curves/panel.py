"""The Training curves dock: the live curves of the training in progress, and the trainings that have ended, to use and to save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from gui import theme
from gui.panels.curves.plots import TrainingPlots
from gui.panels.curves.trainings import TrainingTable
from gui.session.swap_model import swap_classifier
from gui.settings import Settings
from gui.theme import GRID
from gui.widgets import EmptyState, Message
from gui.widgets.asked_file import ask_file
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine import Classifier
    from gui.session.session import Session
    from gui.session.trainer import TrainingRun

_NOTHING = "The loss and the accuracy of a training appear here while it runs. Set one up in the Training dock."


class CurvesPanel(QWidget):
    """Follows the session's trainer."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.trainer = session, session.trainer
        self.heading = Sentence(1, bold=True, parent=self)
        self.plots = TrainingPlots(self)
        self.table = TrainingTable(self)
        self.message = Message(self)
        self.live_button = QPushButton(theme.icon("mdi6.pulse"), "Show the running one", self)
        self.use_button = QPushButton(theme.icon("mdi6.check"), "Use it", self)
        self.save_button = QPushButton(theme.icon("mdi6.content-save-outline"), "Save…", self)
        self.remove_button = QPushButton(theme.icon("mdi6.close"), "Remove", self)
        self._pages = QStackedLayout(self)
        self._lay_out()
        trainer = self.trainer
        trainer.changed.connect(self._show)
        trainer.progressed.connect(self._show_curves)
        self.table.chosen.connect(trainer.choose)
        self.live_button.clicked.connect(lambda: trainer.choose(None))
        self.use_button.clicked.connect(self._use)
        self.save_button.clicked.connect(self._choose_file)
        self.remove_button.clicked.connect(self._remove)
        self._show()

    def _lay_out(self) -> None:
        self.live_button.setToolTip("Show the curves of the training in progress")
        self.use_button.setToolTip("Make this network the model under study; the stickers and the image stay where they fit")
        self.save_button.setToolTip("Write the weights (.safetensors) and, beside them, the card (.json)")
        self.remove_button.setToolTip("Take this training off the list")
        buttons = QHBoxLayout()
        buttons.addWidget(self.live_button)
        buttons.addStretch(1)
        for button in (self.remove_button, self.save_button, self.use_button):
            buttons.addWidget(button)
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(GRID, 4, GRID, 4)
        layout.setSpacing(4)
        layout.addWidget(self.heading)
        layout.addWidget(self.plots, 1)
        layout.addWidget(self.message)
        layout.addWidget(self.table)
        layout.addLayout(buttons)
        self._pages.addWidget(EmptyState(_NOTHING, "mdi6.chart-line", self))
        self._pages.addWidget(body)

    # ------------------------------------------------------------------ following the trainer

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_curves()

    @Slot()
    def _show(self) -> None:
        trainer, run = self.trainer, self.trainer.chosen
        self._pages.setCurrentIndex(1 if trainer.runs or trainer.job is not None else 0)
        self.table.show_runs(trainer.runs, run)
        self.table.setVisible(bool(trainer.runs))
        self.live_button.setVisible(trainer.job is not None and run is not None)
        for button in (self.use_button, self.save_button, self.remove_button):
            button.setVisible(bool(trainer.runs))
            button.setEnabled(run is not None)
        self._show_curves()

    @Slot()
    def _show_curves(self) -> None:
        """Show the curves of the chosen training, or of the one in progress, if the dock is visible."""
        run, job, recipe = self.trainer.chosen, self.trainer.job, self.trainer.recipe
        if not self.isVisible():
            return
        if run is not None:
            self.heading.set_text(run.verdict)
            self.plots.show_trace(run.trace, run.steps, run.recipe.operation.epochs)
        elif job is not None and recipe is not None:
            self.heading.set_text(f"{recipe.name}: {job.news or 'starting'}")
            self.plots.show_trace(job.trace, (job.total or 0) + 1, recipe.operation.epochs)
        else:
            self.heading.set_text("")
            self.plots.show_trace((), 1, 1)

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _use(self) -> None:
        """Make the chosen network the model under study: from its file, where it was saved, so that records name it."""
        run = self.trainer.chosen
        if run is None:
            return
        done, busy = self.session.notice.emit, f"Loading {run.recipe.name}…"

        def make() -> Classifier:
            import engine

            return run.classifier if run.path is None else engine.models.load(str(run.path), device=str(run.classifier.device))

        swap_classifier(
            self.session, make, busy=busy, done=lambda classifier: done(f"{classifier.name} is the model now."), failed=self.message.say
        )

    @Slot()
    def _remove(self) -> None:
        if self.trainer.chosen is not None:
            self.trainer.remove(self.trainer.chosen)

    @Slot()
    def _choose_file(self) -> None:
        run, settings = self.trainer.chosen, Settings()
        if run is None:
            return
        proposed = settings.folder("models") / f"{run.recipe.name}.safetensors"
        path = ask_file(self, "Save the trained network", proposed, "Weights (*.safetensors)")
        if path is not None:
            settings.keep_folder("models", path.parent)
            self.save(run, path)

    def save(self, run: TrainingRun, path: Path) -> None:
        """Write the weights of a trained network and its card."""
        self.message.say("")

        def write() -> tuple[Path, Path]:
            from engine.artifacts import Model
            from engine.defenses import save_model

            model = run.result.artifacts["model"]
            assert isinstance(model, Model)
            return save_model(model, path)

        def then(files: tuple[Path, Path]) -> None:
            self.trainer.note_saved(run, files[0])
            sentence = f"Wrote {files[0].name} and {files[1].name} into {files[0].parent}."
            self.session.log("info", sentence)
            self.message.say(sentence, "hint")

        self.session.ask("export", write, then, what="Saving the network", failed=self.message.say, keep=True)
