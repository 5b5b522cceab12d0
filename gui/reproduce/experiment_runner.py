"""ExperimentRuns: the experiment under way in the background lane, and what those before it show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.reproduce import work
from gui.reproduce.foot import time_left
from gui.reproduce.work import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reproduce import Experiment
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.session import Session

_TICK_MS = 100


class ExperimentRuns(QObject):
    """Runs one experiment at a time, whichever the window shows."""

    moved = Signal()
    """``news`` and ``share`` may be others."""
    changed = Signal()
    """An experiment began, was cancelled or ended, or its figure was drawn anew."""
    ended = Signal(str, str, str)
    """The slug; why it came to nothing, or nothing; and whether that is an error or a hint."""

    def __init__(self, session: Session, catalogue: Mapping[str, type[Experiment]], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._catalogue = session, catalogue
        self.shown: dict[str, Shown] = {}
        """By slug, what the newest run that came to its end shows."""
        self.runner = OperationRunner(session.background, "experiment", self, every_ms=_TICK_MS)
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self._on_progress)
        self.runner.ended.connect(self._on_ended)
        self._began = self._seen = 0.0
        self._share: float | None = None

    @property
    def job(self) -> Job | None:
        """The experiment under way."""
        return self.runner.job

    @property
    def slug(self) -> str:
        """The slug of what runs; empty: nothing does."""
        return "" if self.job is None else str(self.job.context)

    @property
    def _drawing(self) -> bool:
        job = self.job
        return job is not None and job.total is not None and job.index >= job.total

    @property
    def share(self) -> float | None:
        """How much of the whole is done, where that is known."""
        return None if self.job is None or self._drawing else self.job.share_done

    @property
    def news(self) -> str:
        """What is being done, and the time left at this moment: a step may take longer than anybody waits for news."""
        if self.job is None:
            return ""
        doing = "drawing the figure" if self._drawing else self.job.news or "loading"
        return doing + time_left(self._seen - self._began, self.share, time.monotonic() - self._seen)

    def start(self, slug: str, experiment: Any, dark: bool) -> None:
        """Run it on its own model, on the device of the one on the canvas; its figure is drawn for a dark ground, or not."""
        root, classifier = self._session.data_sources.root, self._session.classifier
        device = None if classifier is None else str(classifier.device)
        self._began = self._seen = time.monotonic()
        self._share = None
        self.runner.start(
            lambda: work.make(experiment, root, device),
            finish=lambda result: work.finished(result, dark),
            collect=True,
            context=slug,
        )
        self.moved.emit()

    def cancel(self) -> None:
        """End it at its next step."""
        self.runner.cancel()

    def redraw(self, slug: str, dark: bool) -> None:
        """Draw its figure anew, where it was drawn for the other theme."""
        shown = self.shown.get(slug)
        if shown is None or shown.picture is None or shown.dark == dark:
            return

        def then(again: Shown) -> None:
            if self.shown.get(slug) is shown:
                self.shown[slug] = again
                self.changed.emit()

        what = "Drawing the figure again"
        self._session.ask(f"experiment {slug}", lambda: work.drawn(shown, dark), then, what=what, busy="Drawing the figure…")

    @Slot()
    def _on_progress(self) -> None:
        if self.share != self._share:
            self._share, self._seen = self.share, time.monotonic()
        self.moved.emit()

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        slug = str(outcome.job.context)
        title, sentence, kind = self._catalogue[slug].title, "", "hint"
        if outcome.failure is not None:
            sentence, kind = outcome.failure.sentence, "error"
            self._session.log("error", sentence, outcome.failure.details)
        elif outcome.status == "finished":
            self.shown[slug] = outcome.result
            self._session.log("info", f"{title}: {outcome.result.verdict}")
            self._session.adopt(outcome.result.run)
        else:
            sentence = f"“{title}” was cancelled: nothing is kept of it."
            self._session.log("info", sentence)
        self.changed.emit()
        self.ended.emit(slug, sentence, kind)
