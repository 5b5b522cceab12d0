"""The Experiments dock: runs the lectures' experiments, and shows our numbers beside the published ones, with a verdict and a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QSplitter, QVBoxLayout, QWidget

from gui import theme
from gui.panels.experiments import work
from gui.panels.experiments.experiment_runner import ExperimentRunner
from gui.panels.experiments.foot import RunFoot
from gui.panels.experiments.model_choice import ModelChoice
from gui.panels.experiments.views import AboutExperiment, ExperimentList, OutcomeView
from gui.panels.experiments.weights import ExperimentWeights
from gui.settings import Settings
from gui.widgets import scrolling
from gui.widgets.late_panel import LatePanel
from gui.widgets.message import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reproduce import Experiment
    from gui.session.session import Session

_LOADING = "The lectures' experiments appear here as soon as the engine is loaded."
_SIDE = 41 * theme.GRID
"""Width in pixels of the column of experiments at first, in which no title of theirs is cut."""
_NARROW = 640
"""Width in pixels below which the outcome stands below the experiments."""


class ExperimentsPanel(LatePanel):
    """The experiments at the left and the outcome at the right; in a narrow dock below them. It is built when the engine is loaded."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _LOADING, "mdi6.flask-outline", parent)
        self._settings = Settings()
        self._slug = ""
        self.weights = ExperimentWeights(session, self)
        self.weights.progressed.connect(self._on_progress)
        self.weights.fetch.began.connect(self._on_fetching)
        self.weights.fetched.connect(self._on_fetched)
        self.weights.found.connect(self._on_weights)
        self.weights.failed.connect(self._on_not_found)
        self._waiting: str = ""
        """The slug of an experiment that was chosen before the engine was loaded."""

    # ------------------------------------------------------------------ building

    def request(self) -> None:
        """Ask for the experiments, which the engine imports in its own thread."""
        self.session.ask("experiments", _catalogue, self._take, what="Listing the experiments")

    def _take(self, catalogue: Mapping[str, type[Experiment]]) -> None:
        if self.built:
            return
        self._build(catalogue)
        self.session.data_sources.changed.connect(self._on_sources)
        if self._waiting:
            self.choose(self._waiting)

    def _build(self, catalogue: Mapping[str, type[Experiment]]) -> None:
        self._catalogue = catalogue
        self.runs = ExperimentRunner(self.session, catalogue, self)
        self.session.jobs.watch(self.runs.runner, "experiments", lambda: self._catalogue[self.runs.slug].title)
        self.runs.moved.connect(self._on_moved)
        self.runs.changed.connect(self._on_run)
        self.runs.ended.connect(self._on_ended)
        self.list = ExperimentList(catalogue, self)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.about = AboutExperiment(self)
        self.about.changed.connect(self._refresh)
        self.model = ModelChoice(self.session, self)
        self.model.changed.connect(self._on_model)
        self.about.add_model(self.model)
        side, body = QWidget(self), QWidget(self)
        side.setMinimumWidth(240)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        column.addWidget(self.list, 2)
        column.addWidget(scrolling(self.about), 3)
        self.outcome = OutcomeView(self)
        self.foot = self._build_foot()
        self.model.failed.connect(self.foot.message.say)
        self._splitter = QSplitter(self)
        self._splitter.addWidget(side)
        self._splitter.addWidget(self.outcome)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([_SIDE, 2 * _SIDE])
        layout = QVBoxLayout(body)
        layout.setContentsMargins(theme.GRID, 4, theme.GRID, theme.GRID)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self._splitter, 1)
        layout.addWidget(self.foot)
        self.fill(body)
        self._turn()
        self.list.setCurrentRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.built:
            self._turn()

    def _turn(self) -> None:
        """Put the outcome below the experiments where the dock is narrow."""
        narrow = self.width() < _NARROW
        self._splitter.setOrientation(Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal)

    def _build_foot(self) -> RunFoot:
        foot = RunFoot(self)
        for button, slot in (
            (foot.folder_button, self._choose_data),
            (foot.download_button, self.weights.offer),
            (foot.run_button, self.run),
            (foot.cancel_button, self.cancel),
            (foot.save_button, self._choose_folder),
        ):
            button.clicked.connect(slot)
        return foot

    # ------------------------------------------------------------------ choosing

    @property
    def _kind(self) -> type[Experiment]:
        return self._catalogue[self._slug]

    def choose(self, slug: str) -> None:
        """Choose an experiment by its slug, as soon as the engine is loaded."""
        if self.built:
            self.list.choose(slug)
        else:
            self._waiting = slug
            self.need()

    @Slot()
    def _on_chosen(self) -> None:
        self._slug = self.list.slug()
        self.weights.forget()
        self.model.show_models(self._kind)
        self._show_about()
        self._show()

    def _show_about(self) -> None:
        """Show the description of the chosen experiment, and say if its data set is missing."""
        kind = self._kind
        here = kind.found(self.session.data_sources.root)
        name = work.title_of(kind) if kind.data_set else "none"
        self.about.show_kind(kind, name)
        self.foot.folder_button.setVisible(not here)
        if here:
            self.foot.message.say("")
        elif kind.fallback:
            self.foot.message.say(
                f"{name} is not on this machine. Drawn digits stand in, so that the numbers do not compare, until you choose its folder.",
                "hint",
            )
        else:
            self.foot.message.say(f"{name} is not on this machine, and nothing stands in for it. Choose the folder that holds it.", "hint")

    def _show(self) -> None:
        self.outcome.show_outcome(self.runs.outcomes.get(self._slug), self.runs.slug == self._slug)
        self.list.mark(self.runs.outcomes, self.runs.slug)
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "outcome"):
            self._on_run()

    @Slot()
    def _on_model(self) -> None:
        self.weights.forget()
        self._refresh()

    # ------------------------------------------------------------------ missing data and weights

    @Slot()
    def _choose_data(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder that holds data sets", str(self._settings.folder("data")))
        if folder:
            self.look_in(Path(folder))

    def look_in(self, folder: Path) -> None:
        """Use a folder of data sets, and say if the experiment's own is not in it."""
        self._settings.keep_folder("data", folder)
        self.session.data_sources.find(folder)
        if not self._kind.found(folder):
            self.foot.message.say(f"{work.title_of(self._kind)} is not in {folder}. Choose the folder that holds it, unpacked.")

    @Slot()
    def _on_sources(self) -> None:
        self._show_about()
        self._refresh()

    @Slot(str, object)
    def _on_progress(self, words: str, share: float | None) -> None:
        self.foot.show_progress(words, share)

    @Slot()
    def _on_fetching(self) -> None:
        self.foot.message.say("")
        self._refresh()

    @Slot(str)
    def _on_fetched(self, error: str) -> None:
        self.foot.news.setText("")
        if error:
            cancelled = self.weights.fetch.cancelled
            self.foot.message.say(error, "hint" if cancelled else "error")
            self.session.log("info" if cancelled else "error", error)
        else:
            self._show_about()
        self._refresh()

    # ------------------------------------------------------------------ running

    @Slot()
    def run(self) -> None:
        """Run the chosen experiment, or say that its weights are missing."""
        slug, kind = self._slug, self._kind
        if self.about.forms[slug].operation is None or self._busy or self.session.waiting("weights"):
            return

        if not kind.model.startswith("torchvision:") or self.model.chosen is not None:
            self._begin()
            return
        self.foot.news.setText("looking for the weights…")
        self.weights.look(slug, kind)
        self._refresh()

    @Slot(str)
    def _on_weights(self, slug: str) -> None:
        """Begin if the weights are here, or say what is missing."""
        self.foot.news.setText("")
        about = self.weights.missing
        if slug != self._slug:  # another experiment was chosen meanwhile
            self.weights.forget()
        else:
            self._show_about()
            if about is None:
                self._begin()
            else:
                sentence = f"The weights of “{about.name}” ({about.megabytes:.0f} MB) are not on this machine. Download them first."
                self.foot.message.say(sentence, "hint")
        self._refresh()

    @Slot(str)
    def _on_not_found(self, sentence: str) -> None:
        self._refresh()
        self.foot.news.setText("")
        self.foot.message.say(sentence)

    def _begin(self) -> None:
        self._show_about()
        self.list.setFocus()  # otherwise the focus would move from the button, which is now disabled, into a parameter
        self.runs.start(self._slug, self.about.forms[self._slug].operation, theme.is_dark(self.palette()), self.model.chosen)

    @Slot()
    def cancel(self) -> None:
        """End the experiment at its next step, or the download."""
        looking = bool(self.weights.looking)
        self.weights.cancel()
        self.runs.cancel()
        if looking:
            self.foot.news.setText("")
            self._refresh()

    @Slot()
    def _on_moved(self) -> None:
        runs = self.runs
        title = "" if runs.slug == self._slug else f"{self._catalogue[runs.slug].title}: "
        self.foot.show_progress("cancelling…" if runs.job is not None and runs.job.cancelled else f"{title}{runs.news}", runs.share)

    @Slot()
    def _on_run(self) -> None:
        self._show()
        self.runs.redraw(self._slug, theme.is_dark(self.palette()))

    @Slot(str, str, str)
    def _on_ended(self, slug: str, sentence: str, kind: Kind) -> None:
        self.foot.news.setText("")
        if sentence and slug == self._slug:
            self.foot.message.say(sentence, kind)

    @property
    def _busy(self) -> bool:
        return self.runs.job is not None or self.weights.busy

    @Slot()
    def _refresh(self) -> None:
        kind, form, job = self._kind, self.about.forms[self._slug], self.runs.job
        possible = bool(kind.fallback) or kind.found(self.session.data_sources.root)
        self.foot.run_button.setEnabled(possible and not self._busy and form.operation is not None)
        why = "It is under way" if self.runs.slug == self._slug else "Another experiment is running"
        tip = why if job is not None else "Run this experiment with these parameters" if possible else "Its data set is missing"
        self.foot.run_button.setToolTip(tip)
        self.foot.cancel_button.setEnabled(self.weights.busy or (job is not None and not job.cancelled))
        self.foot.save_button.setEnabled(self._slug in self.runs.outcomes)
        self.foot.download_button.setVisible(self.weights.missing is not None and not self.weights.fetch.running)
        self.foot.bar.setVisible(self._busy)

    # ------------------------------------------------------------------ saving

    @Slot()
    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the figure and the table", str(self._settings.folder("figures")))
        if folder:
            self.save(Path(folder))

    def save(self, folder: Path) -> None:
        """Write figure and table into a folder; existing files are not overwritten."""
        self._settings.keep_folder("figures", folder)
        result, session = self.runs.outcomes[self._slug].result, self.session

        def then(files: list[Path]) -> None:
            session.log("info", f"Wrote {', '.join(str(path) for path in files)}")
            self.foot.message.say(f"Written into {folder}.", "hint")

        what = "Writing the experiment"
        session.ask(
            "export", lambda: work.write_files(result, folder), then, what=what, failed=self.foot.message.say, busy=f"{what}…", keep=True
        )


def _catalogue() -> Mapping[str, type[Experiment]]:
    """Return the experiments by slug. Called in the engine thread, since the import takes a while."""
    from engine.reproduce import CATALOGUE

    return CATALOGUE
