"""ExperimentRunner: runs experiments in the background lane, and keeps the newest outcome of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.progress_text import ShareMeter
from gui.lanes.runner import OperationRunner
from gui.panels.experiments import work
from gui.panels.experiments.work import ExperimentOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import Classifier
    from engine.reproduce import Experiment
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.session import Session

_TICK_MS = 100


class ExperimentRunner(QObject):
    """Runs one experiment at a time, independently of the one that the window shows."""

    moved = Signal()
    """``news`` or ``share`` may have changed."""
    changed = Signal()
    """An experiment began, was cancelled or ended, or its figure was drawn again."""
    ended = Signal(str, str, str)
    """An experiment has ended: its slug; a sentence if it failed or was cancelled, else empty; and the sentence's kind, error or hint."""

    def __init__(self, session: Session, catalogue: Mapping[str, type[Experiment]], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._catalogue = session, catalogue
        self.outcomes: dict[str, ExperimentOutcome] = {}
        """The outcome of the newest finished run of each experiment, by slug."""
        self.runner = OperationRunner(session.background, "experiment", self, every_ms=_TICK_MS)
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self.moved)
        self.runner.ended.connect(self._on_ended)
        self._meter = ShareMeter()

    @property
    def job(self) -> Job | None:
        """The experiment in progress; None if there is none."""
        return self.runner.job

    @property
    def slug(self) -> str:
        """The slug of the experiment in progress; empty if there is none."""
        return "" if self.job is None else str(self.job.context)

    @property
    def _drawing(self) -> bool:
        job = self.job
        return job is not None and job.total is not None and job.index >= job.total

    @property
    def share(self) -> float | None:
        """The share of the experiment that is done, in [0, 1]; None where it is unknown."""
        return None if self.job is None or self._drawing else self.job.share_done

    @property
    def news(self) -> str:
        """The current stage and the remaining time. Both are computed at each tick, since a single step may take minutes."""
        if self.job is None:
            return ""
        return "drawing the figure" if self._drawing else self._meter.words(self.job)

    def start(self, slug: str, experiment: Any, dark: bool, model: Classifier | None = None) -> None:
        """Run an experiment on ``model``, or on its own on the present model's device; ``dark`` draws its figure for a dark background."""
        root, classifier = self._session.data_sources.root, self._session.classifier
        device = None if classifier is None else str(classifier.device)
        self.runner.start(
            lambda: work.build_run(experiment, root, device, model),
            finish=lambda result: work.outcome_of(result, dark),
            collect=True,
            context=slug,
        )
        self.moved.emit()

    def cancel(self) -> None:
        """End the experiment at its next step."""
        self.runner.cancel()

    def redraw(self, slug: str, dark: bool) -> None:
        """Draw an experiment's figure again if it was drawn for the other theme."""
        shown = self.outcomes.get(slug)
        if shown is None or shown.picture is None or shown.dark == dark:
            return

        def then(again: ExperimentOutcome) -> None:
            if self.outcomes.get(slug) is shown:
                self.outcomes[slug] = again
                self.changed.emit()

        what = "Drawing the figure again"
        self._session.ask(f"experiment {slug}", lambda: work.with_figure(shown, dark), then, what=what, busy="Drawing the figure…")

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        slug = str(outcome.job.context)
        title, sentence, kind = self._catalogue[slug].title, "", "hint"
        if outcome.failure is not None:
            sentence, kind = outcome.failure.sentence, "error"
            self._session.log("error", sentence, outcome.failure.details)
        elif outcome.status == "finished":
            self.outcomes[slug] = outcome.result
            self._session.log("info", f"{title}: {outcome.result.verdict}")
            self._session.adopt(outcome.result.run)
        else:
            sentence = f"“{title}” was cancelled: nothing is kept of it."
            self._session.log("info", sentence)
        self.changed.emit()
        self.ended.emit(slug, sentence, kind)
