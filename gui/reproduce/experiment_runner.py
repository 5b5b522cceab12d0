"""ExperimentRuns: the experiment under way in the background lane, and what those before it show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.lanes.jobs import Job, Outcome
from gui.reproduce import work
from gui.reproduce.foot import time_left
from gui.reproduce.work import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reproduce import Experiment
    from gui.session.session import Session

_TICK_MS = 100


class ExperimentRuns(QObject):
    """One runs at a time, whichever the window shows."""

    moved = Signal()
    """Read ``news`` and ``share``."""
    changed = Signal()
    """One began, was cancelled or ended, or its figure was drawn anew."""
    ended = Signal(str, str, str)
    """The slug; why it came to nothing, or nothing; and whether that is an error or a hint."""

    def __init__(self, session: Session, catalogue: Mapping[str, type[Experiment]], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._catalogue = session, catalogue
        self.shown: dict[str, Shown] = {}
        """By slug, of the newest run that came to its end."""
        self.job: Job | None = None
        self.slug = ""
        """Of what runs."""
        self._doing = ""
        self.share: float | None = None
        """How much of the whole is done, where that is known."""
        self._began = self._seen = 0.0
        """When it began, and when ``share`` was told."""
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        session.background.done.connect(self._on_done)

    @property
    def news(self) -> str:
        """What it does, with the time that is left now where that can be guessed: a step may take longer than anybody waits for a word."""
        return self._doing + time_left(self._seen - self._began, self.share, time.monotonic() - self._seen)

    def start(self, slug: str, experiment: Any, dark: bool) -> None:
        """Run it on its own model, on the device of the one on the canvas; its figure is drawn for a dark ground, or not."""
        root, classifier = self._session.data_sources.root, self._session.classifier
        device = None if classifier is None else str(classifier.device)
        self.slug, self._doing, self.share, self._began = slug, "loading", None, time.monotonic()
        job = Job(
            "experiment",
            lambda: work.make(experiment, root, device),
            work.look,
            lambda result: work.finished(result, dark),
        )
        self.job = self._session.background.submit(job)
        job.want_preview()
        self._timer.start()
        self.changed.emit()
        self.moved.emit()

    def cancel(self) -> None:
        """End it at its next step."""
        if self.job is not None:
            self._session.background.cancel(self.job)
            self.changed.emit()

    def redraw(self, slug: str, dark: bool) -> None:
        """Its figure, where it was drawn for the other theme."""
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
    def _on_tick(self) -> None:
        job = self.job
        if job is None:
            self._timer.stop()
            return
        seen = job.take_preview()
        if seen is not None:
            self._doing, self.share = seen
            self._seen = time.monotonic()
        job.want_preview()
        if job.total is not None and job.index >= job.total:
            self._doing, self.share = "drawing the figure", None
        self.moved.emit()

    @Slot(object)
    def _on_done(self, outcome: Outcome) -> None:
        if outcome.job is not self.job:
            return
        slug, self.job, self.slug = self.slug, None, ""
        self._timer.stop()
        title, sentence, kind = self._catalogue[slug].title, "", "hint"
        if outcome.failure is not None:
            sentence, kind = outcome.failure.sentence, "error"
            self._session.log("error", sentence, outcome.failure.details)
        elif outcome.status == "finished":
            self.shown[slug] = outcome.result
            self._session.log("info", f"{title}: {outcome.result.verdict}")
        else:
            sentence = f"“{title}” was cancelled: nothing is kept of it."
            self._session.log("info", sentence)
        self.changed.emit()
        self.ended.emit(slug, sentence, kind)
