"""AttackRunner: the attack under way, from its start to what came of it. It lives in the main thread and knows no session."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import completed, make_run, painted_so_far, prepare, preview_of
from gui.session.attack_start import Ending, Start
from gui.session.conclusion import Conclusion
from gui.session.sticker_content import same_ids, same_places, with_contents

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack
    from engine.stickers import Content, Sticker
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources
    from gui.session.history import AttackRun
    from gui.session.scene import Frame
    from gui.session.state import State

PATIENCE_MS = 150
Request = Callable[..., None]
"""`Requests.ask`."""


class AttackRunner(QObject):
    """The attack under way: started, watched, held while a sticker is under the mouse, ended, and what came of it kept.

    A sticker attack follows the stickers that it paints: while one is dragged it waits, what it has painted travels along, and it goes on
    at the new place from the content it had.
    """

    changed = Signal()
    """A run began, went on, paused, was asked to end, or ended."""
    progressed = Signal()
    """The run under way may be further."""
    previewed = Signal(object)
    """A `Frame` of where the run under way has got to."""
    painted = Signal()
    """What a held sticker attack has painted is known: see `filled`."""
    concluded = Signal(object)
    """A `Conclusion`: a run ended."""
    logged = Signal(str, str, str, str)
    """A line for the Log: its kind, text, details, and what the status bar says of it."""
    noticed = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, lane: EngineThread, request: Request, current: Callable[[], State], sources: DataSources, parent: QObject) -> None:
        """``current`` gives the state as it is; ``request`` asks the engine thread for something."""
        super().__init__(parent)
        self._request, self._current, self._sources = request, current, sources
        self.runner = OperationRunner(lane, "attack", self, patience_ms=PATIENCE_MS, previews=lambda: current().plan.live)
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self.progressed)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)
        self.pause, self.cancel, self.stop = self.runner.pause, self.runner.cancel, self.runner.stop
        self._start: Start | None = None
        """What the newest attack was started on."""
        self._ending: Ending | None = None
        self._dragging = False
        self._follow = False
        """Whether the attack is to go on where its stickers are now."""
        self._contents: dict[int, Content] | None = None
        """What a held sticker attack has painted so far, by sticker; None: not known yet."""
        self._late: JobOutcome | None = None
        """The outcome of an attack that ended while a sticker was under the mouse."""

    @property
    def job(self) -> Job | None:
        """The attack under way, paused or not."""
        return self.runner.job

    @property
    def abandoned(self) -> list[Job]:
        """Cancelled runs whose last step is still being made."""
        return self.runner.abandoned

    @property
    def ending(self) -> Ending | None:
        """How the newest run ended; None while one is under way, and before the first."""
        outcome = self.runner.ending
        if outcome is None:
            self._ending = None
        elif self._ending is None or self._ending.outcome is not outcome:
            self._ending = Ending(outcome)
        return self._ending

    @property
    def attack(self) -> Attack | None:
        """The attack under way."""
        return None if self.job is None or self._start is None else self._start.attack

    @property
    def running(self) -> bool:
        """Whether one is under way, paused or not."""
        return self.runner.running

    @property
    def seconds(self) -> float:
        """The seconds since the attack began."""
        return 0.0 if self._start is None else time.perf_counter() - self._start.at

    # ------------------------------------------------------------------ what is asked

    def shows_stickers(self, iterate: Frame) -> bool:
        """Whether an attack's iterate has the stickers as they are now; what a sticker attack paints on them is its own."""
        there = iterate.scene.stickers
        return same_places(there, self._current().stickers) if self._paints_stickers() else there == self._current().stickers

    # ------------------------------------------------------------------ begin and end

    def start(self, attack: Attack, *, seed: int = 0, data: Choice | None = None, begin: Tensor | None = None) -> None:
        """Run an attack on the image with its stickers. The Log says what is amiss, and then nothing changes."""
        state = self._current()
        scene, sources = state.scene, self._sources
        if scene is None:
            self.noticed.emit("Open an image first: there is nothing to attack.")
            return
        before = replace(scene, delta=None, grown=False)
        region = state.region if attack.masked else "image"
        given = AttackInputs(region, state.label, state.target, seed, data, begin)
        self._follow, self._contents = False, None
        self._start = Start(attack, before, given, dict(state.image), state.photograph)
        self.runner.start(
            lambda: make_run(attack, before, given, sources.load),
            make_preview=preview_of(replace(before, grown=not attack.from_image), self._wishes),
            finish=completed,
            prepare=lambda: prepare(given, sources.loading),
            collect=True,
            context=self._start,
        )

    def _wishes(self) -> tuple[Mapping[str, float], bool]:
        """The bounds, and whether saliency is wanted, at this moment."""
        state = self._current()
        return state.bounds, state.saliency

    @Slot()
    def _on_preview(self) -> None:
        frame, job = self.runner.preview, self.job
        # An iterate over stickers that are elsewhere by now is no picture of what is on the canvas.
        if job is not None and not self._dragging and not job.cancelled and self.shows_stickers(frame):
            self.previewed.emit(frame)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        start: Start = outcome.job.context
        if self.running or start is not self._start:  # it was cancelled, and another one has begun since
            if outcome.result is not None:
                self._keep(start.finished(outcome.result, start.after(outcome.result)), repaint=False)
            return
        if outcome.failure is not None:
            short = "" if self.ending is None else self.ending.notice
            self.logged.emit("error", outcome.failure.sentence, outcome.failure.details, short)
        elif outcome.result is None:
            self.logged.emit("info", "The attack was cancelled before its first step.", "", "")
        if self._dragging and self._paints_stickers():
            self._late = outcome  # its content is put on the sticker once that is let go
            self.concluded.emit(Conclusion())
        else:
            self._conclude(outcome)

    def _conclude(self, outcome: JobOutcome) -> None:
        """Keep what came out, on the canvas if that still shows what was attacked and nothing went wrong."""
        start, result, state = self._start, outcome.result, self._current()
        self._follow, self._contents = False, None
        if start is None or result is None:
            self.concluded.emit(Conclusion())
            return
        after = start.after(result)
        entry = start.finished(result, after)
        if not state.is_current(start.before) or outcome.failure is not None:
            self._keep(entry)
            return
        fields: dict[str, Any] = {"delta": after.delta, "grown": after.grown}  # a sticker attack began without a perturbation
        if start.paints_stickers:
            # Content only: a sticker that was moved meanwhile stays where it is.
            contents = {sticker.id: sticker.content for sticker in after.stickers}
            fields["stickers"] = with_contents(state.stickers, contents)
        self._keep(entry, "Optimise sticker content" if start.paints_stickers else start.attack.title, fields)

    def _keep(self, entry: AttackRun, text: str = "", fields: Mapping[str, Any] | None = None, *, repaint: bool = True) -> None:
        self.concluded.emit(Conclusion(entry, text, fields=fields or {}, repaint=repaint))
        if not self._current().is_current(entry.scene):
            ended = "was ended when" if entry.ended == "cancelled" else "ended after"
            sentence = f"{entry.title} {ended} something else was opened. Its best image so far is kept with the finished runs."
            self.logged.emit("info", sentence, "", "")
            self.noticed.emit(sentence)

    # ------------------------------------------------------------------ following the stickers

    def begin_drag(self) -> None:
        """A sticker attack waits while a sticker is under the mouse, and what it has painted travels along."""
        self._dragging = True
        self._hold()

    def end_drag(self) -> None:
        """The sticker was let go: a waiting sticker attack goes on at the new place, from the content it had."""
        self._dragging = False
        late, self._late = self._late, None
        if late is not None:
            self._conclude(late)
        elif self.job is None or not self._paints_stickers():
            self._follow, self._contents = False, None
        elif self._contents is not None:
            self._go_on()

    def _paints_stickers(self) -> bool:
        return self._start is not None and self._start.paints_stickers

    def _hold(self) -> None:
        """Pause a sticker attack and ask what it has painted so far."""
        job, start = self.job, self._start
        if job is None or start is None or job.cancelled or not self._paints_stickers() or self._follow:
            return
        self._follow, self._contents = not job.paused, None
        self.pause(True)
        self._request(
            "content",
            lambda: painted_so_far(job, start.before.stickers),
            lambda contents: self._on_contents(job, contents),
            what="Taking over the stickers' content",
        )

    def _on_contents(self, job: Job, contents: dict[int, Content]) -> None:
        if job is not self.job:
            return
        self._contents = contents
        self.painted.emit()
        if not self._dragging:
            self._go_on()

    def filled(self, stickers: tuple[Sticker, ...]) -> tuple[Sticker, ...]:
        """The stickers with what a held attack has painted on them."""
        return with_contents(stickers, self._contents or {})

    def follow_stickers(self) -> None:
        """Stickers were edited, undone or deleted, not dragged: the attack that paints them goes on at their new places, or ends."""
        start = self._start
        if (
            self._dragging
            or self._contents is not None  # it is about to go on at the new places
            or self.job is None
            or start is None
            or not self._paints_stickers()
            or same_places(start.before.stickers, self._current().stickers)
        ):
            return
        if same_ids(start.before.stickers, self._current().stickers):
            self._hold()
        else:
            self.cancel()  # what it paints is gone

    def _go_on(self) -> None:
        """Start the held attack again where its stickers are now."""
        start, job, follow = self._start, self.job, self._follow
        self._follow, self._contents = False, None
        if start is None or job is None or job.cancelled:
            return
        if not follow and same_places(start.before.stickers, self._current().stickers):
            return
        left = max(1, (job.total or start.attack.steps) - max(0, job.index))  # type: ignore[attr-defined]
        self.start(start.attack.model_copy(update={"begin": "current", "steps": left}), seed=start.given.seed)
        if not follow:
            self.pause(True)
