"""The Images dock: the planned attack on several images, with a row for each that can be opened as a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.canvas.drops import FileDrop
from gui.lanes.progress_text import RateMeter, ShareMeter
from gui.lanes.runner import OperationRunner
from gui.panels.batch import work
from gui.panels.batch.both_attackers import remarks, robust_words, rows_of_unaware
from gui.panels.batch.files import BatchFiles
from gui.panels.batch.setup import BatchSetup
from gui.panels.batch.summary import BatchSummary
from gui.panels.batch.table import RowTable
from gui.panels.batch.words import attack_words, behind, painted, with_stickers
from gui.session.readiness import plan_obstacle
from gui.session.row_opener import RowOpener
from gui.session.swap_model import sample_kind
from gui.theme import GRID
from gui.widgets import EmptyState
from gui.widgets.job_foot import JobFoot
from gui.widgets.setup_and_results import SetupAndResults
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.evaluate.batch import ImageResults, ImageRow, ImageRun, ImageStep
    from engine.stickers import Sticker
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.session import Session

_NOTHING = "A row for each image appears here. Choose images, and press “Attack all”."
_TICK_MS = 100


class BatchPanel(QWidget):
    """Attacks images of a data set or of files in the background lane, so that the image on the canvas stays at hand."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._request: work.BatchRequest | None = None
        self._failure = ""
        """The sentence of the newest batch, if it has failed."""
        self.runner = OperationRunner(session.background, "batch", self, every_ms=_TICK_MS)
        self.opener = RowOpener(session, "batch", self)
        self._meter = RateMeter("image")
        self._row_meter = ShareMeter()
        session.jobs.watch(self.runner, "batch", self._title)
        self._kind = ""
        """The kind of the model, for which the chooser suggests a data set."""
        self.setup = BatchSetup(session.data_sources, self)
        self.plan = Sentence(4, muted=True, snug=True, parent=self)
        self.foot = JobFoot("Attack all", "End it now; the rows so far stay", self)
        self.selection = Sentence(1, muted=True, parent=self)
        self.summary = BatchSummary(self)
        self.trust = Sentence(2, snug=True, parent=self)
        self.table = RowTable(self)
        self.files = BatchFiles(session, self.foot.message, self)
        self._lay_out()
        self._connect()
        self._on_plan()
        self._show_results()

    @property
    def results(self) -> ImageResults | None:
        """The newest rows, which the study keeps; None before the first batch."""
        return self.session.batch.results

    # ------------------------------------------------------------------ building

    def _lay_out(self) -> None:
        body, buttons = QWidget(self), QHBoxLayout()
        buttons.addWidget(self.selection, 1)
        buttons.addWidget(self.files)
        rows = QVBoxLayout(body)
        rows.setContentsMargins(GRID, 4, GRID, 4)
        rows.setSpacing(4)
        rows.addLayout(buttons)
        rows.addWidget(self.summary)
        rows.addWidget(self.trust)
        self.trust.hide()
        rows.addWidget(self.table, 1)
        nothing = EmptyState(_NOTHING, "mdi6.image-multiple-outline", self)
        self._parts = SetupAndResults(self.setup, self.foot, nothing, body, above=(self.plan,), parent=self)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._parts)

    def _connect(self) -> None:
        session = self.session
        plan = (session.planChanged, session.labelChanged, session.classifierChanged, session.stickersChanged, session.defenseChanged)
        for signal in (*plan, session.engineReady):
            signal.connect(self._on_plan)
        self.setup.changed.connect(self._refresh)
        self.setup.paint.toggled.connect(self._on_plan)
        self.foot.started.connect(self.run)
        self.foot.paused.connect(self.runner.pause)
        self.foot.cancelled.connect(self._on_cancel)
        session.batch.changed.connect(self._show_results)
        session.batch.replaced.connect(self._on_replaced)
        self.opener.changed.connect(self._on_progress)
        self.runner.changed.connect(self._refresh)
        self.runner.progressed.connect(self._on_progress)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)
        self.table.picked.connect(self.open_row)
        FileDrop(self).dropped.connect(self._on_dropped)

    def minimumSizeHint(self) -> QSize:
        """Return the least size with the setup above the table: where it is narrow, they stand so."""
        parts = [part.minimumSizeHint() for place in range(self._parts.count()) if (part := self._parts.widget(place)) is not None]
        return QSize(max(part.width() for part in parts), 20 * GRID)

    # ------------------------------------------------------------------ the plan

    def _title(self) -> str:
        request = self._request
        if request is None:
            return "Attack images"
        return f"{request.attack.title} on images{with_stickers(request.stickers)}{behind(request.defense)}"

    @Slot()
    def _on_plan(self) -> None:
        state = self.session.state
        if state.classifier is not None and sample_kind(state.classifier) != self._kind:
            self._kind = sample_kind(state.classifier)
            self.setup.chooser.suggest(self._kind)
        self.setup.show_plan(state.target, state.labels)
        attack, error = state.plan.built if state.ready and state.plan.slug else (None, "")
        if attack is None:
            self.plan.set_text(error or "The attack that is set up in the Attack dock, on many images.")
        else:
            self.setup.set_targeted("targets" in attack.uses)
            needed = "stickers" in attack.uses or (state.region == "stickers" and attack.masked)
            self.setup.show_stickers(len(state.stickers), needed)
            region = ", on the stickers alone" if state.region == "stickers" and attack.masked else ""
            model = f"“{self._model()}”{behind(state.defense)}"
            attackers = " One attacker knows the defense, another does not." if state.defense else ""
            words = f"{attack_words(attack)}{region}, as set up in the Attack dock, on {model}{painted(self._stickers())}."
            self.plan.set_text(f"{words}{attackers}")
        self._refresh()

    def _stickers(self) -> tuple[Sticker, ...]:
        """Return the stickers that are painted over every image."""
        return self.session.stickers if self.setup.paints else ()

    def _model(self) -> str:
        return "" if self.session.classifier is None else self.session.classifier.name

    @property
    def obstacle(self) -> str:
        """The reason why the batch cannot start; empty if it can."""
        if self.runner.running:
            return "It is under way."
        found = plan_obstacle(self.session.state, self.session.data_sources)
        if found is not None:
            return found.sentence
        attack, _ = self.session.state.plan.built
        if attack is not None and "targets" in attack.needs and self.setup.chosen_aim == "away":
            return f"Choose a target: {attack.title} works towards a class."
        return self.setup.missing

    @Slot()
    def _refresh(self) -> None:
        job, obstacle = self.runner.job, self.obstacle
        self.foot.allow(obstacle, "Attack all of these images; the image on the canvas stays as it is")
        if job is None and self._failure and not obstacle:
            self.foot.message.say(self._failure)
        else:
            self.foot.message.say("" if job is not None or not self.session.ready else obstacle, "hint")
        self._on_progress()

    # ------------------------------------------------------------------ running

    @Slot()
    def run(self) -> None:
        """Attack the chosen images as planned."""
        if self.obstacle:
            return
        state, sources, setup = self.session.state, self.session.data_sources, self.setup
        attack, _ = state.plan.built
        assert attack is not None
        assert state.classifier is not None
        request = self._request = work.BatchRequest(
            attack=attack,
            classifier=state.classifier,
            choice=setup.choice,
            files=setup.files,
            count=None,
            draw=None,
            aim=setup.chosen_aim,
            seed=setup.seed.value(),
            together=setup.batch_size,
            data=state.plan.data if "data" in attack.uses else None,
            begin=state.plan.start,
            stickers=self._stickers(),
            region=state.region,
            defense=state.defense,
        )
        self._failure = ""
        self.session.batch.show(None)
        self.runner.start(
            lambda: work.make_batch(request, sources),
            make_preview=_rows_so_far,
            finish=_counted,
            prepare=lambda: work.prepare(request, sources),
            context=request,
        )

    @Slot()
    def _on_progress(self) -> None:
        job, opening = self.runner.job, self.opener.runner.job
        if job is None and opening is not None:
            self.foot.show_job(opening, f"opening {opening.context.row.name} · {self._row_meter.words(opening)}")
        else:
            self.foot.show_job(job, "" if job is None else self._meter.words(job))

    @Slot()
    def _on_cancel(self) -> None:
        (self.runner if self.runner.running else self.opener.runner).cancel()

    @Slot()
    def _on_replaced(self) -> None:
        """End a batch that belongs to the study before, which has its rows so far."""
        self._request, self._failure = None, ""
        self.opener.stop()
        self.runner.cancel()

    @Slot()
    def _on_preview(self) -> None:
        if self.runner.running and self._is_ours(self.runner.job):
            self.session.batch.show(self.runner.preview)

    def _is_ours(self, job: Job | None) -> bool:
        """Whether a job is of the newest batch of this study."""
        return job is not None and self._request is not None and job.context is self._request

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        if not self._is_ours(outcome.job):
            return
        if outcome.result is not None:
            self.session.batch.show(outcome.result)
            for note in outcome.result.subjects.notes:
                self.session.log("info", note)
        if outcome.failure is not None:
            self._failure = outcome.failure.sentence
            self.session.log("error", outcome.failure.sentence, outcome.failure.details)
        elif self.results is not None:
            found = self.results.summary
            cancelled = f" You cancelled it: the table holds {found.done:,} of {found.of:,} rows." if outcome.status == "cancelled" else ""
            self.session.log("info", f"{self._title()}: {robust_words(self.results)}{cancelled}")

    def _show_results(self) -> None:
        results = self.results
        self._parts.show_results(results is not None)
        self.table.show_rows(() if results is None else results.rows, None if results is None else rows_of_unaware(results))
        self.files.follow()
        if results is None:
            return
        found = results.summary
        words = f"{results.subjects.words}{painted(results.inputs['stickers'])}{behind(results.defense, ',')}"
        self.selection.set_text(words if found.done == found.of else f"{self._part_words(results)} {words}")
        self.selection.setToolTip("\n".join((words, *results.subjects.notes)))
        seen, beside = any(light.on for light in results.lights), [*results.sentences, *remarks(results)]
        self.summary.show_results(results, seen=seen)
        self.trust.setVisible(bool(beside))
        self.trust.set_text(" ".join(beside))
        self.trust.setToolTip("\n".join(beside))

    def _part_words(self, results: ImageResults) -> str:
        """Return how many of the rows are there, and why no more are."""
        part = f"{results.summary.done:,} of {results.summary.of:,} rows"
        if self.runner.running and results.reason == "running":
            return f"{part} so far:"
        why = {"cancelled": "Cancelled", "failed": "Ended by an error"}.get(str(results.reason), "Interrupted")
        return f"{why}, the table holds {part}:"

    # ------------------------------------------------------------------ one row

    @Slot(object)
    def open_row(self, row: ImageRow) -> None:
        """Open one image as a run with its timeline, and show the layout for attacks."""
        if self.results is not None:
            self.opener.open(self.results, row, None if self._request is None else self._request.data)

    @Slot(object)
    def _on_dropped(self, paths: list[str]) -> None:
        self.setup.set_files([Path(path) for path in paths])


def _rows_so_far(run: ImageRun, _step: ImageStep) -> ImageResults:
    """Return the rows so far, with their summary already counted. Called in the lane's thread."""
    results = run.result()
    results.summary, results.lights  # noqa: B018 - here, so that the main thread need not count thousands of rows ten times a second
    return results


def _counted(results: ImageResults) -> ImageResults:
    results.summary, results.lights  # noqa: B018 - as in `_rows_so_far`
    return results
