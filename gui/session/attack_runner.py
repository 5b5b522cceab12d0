"""AttackRunner: the attack under way, from its start to what came of it. Lives with the session, in the main thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.lanes.jobs import Job, Outcome
from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import completed, is_grown, make_run, painted_so_far, parameters, prepare, preview_of, summary
from gui.session.history import FinishedRun
from gui.session.scene import Frame, Scene
from gui.session.sticker_content import same_ids, same_places, stickers_after, with_contents

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack, AttackResult
    from engine.images import Photograph
    from engine.stickers import Content, Sticker
    from gui.session.data_choice import Choice
    from gui.session.session import Session

PREVIEW_MS = 33
PATIENCE_MS = 150


@dataclass(frozen=True, eq=False)
class Start:
    """What an attack was started on: its outcome belongs to that, whatever is on the canvas by then."""

    attack: Attack
    before: Scene
    given: AttackInputs
    image: dict[str, Any]
    photograph: Photograph | None
    at: float = field(default_factory=time.perf_counter)

    @property
    def paints_stickers(self) -> bool:
        """Whether the attack makes stickers' content, not a perturbation."""
        return "stickers" in self.attack.uses


@dataclass(frozen=True, eq=False)
class Ending:
    """How the run before ended."""

    attack: Attack
    job: Job
    status: str
    """finished, cancelled, budget or failed."""
    sentence: str = ""
    """What went wrong."""

    @property
    def notice(self) -> str:
        """For the status bar, where it failed."""
        return f"{self.attack.title} failed: the Attack dock and the Log say why."


class AttackRunner(QObject):
    """The attack under way: started, watched, held while a sticker is under the mouse, ended, and what came of it kept.

    A sticker attack follows the stickers that it paints: while one is dragged it waits, what it has painted travels along, and it goes on
    at the new place from the content it had.
    """

    changed = Signal()
    """A run began, went on, paused or ended."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.job: Job | None = None
        """The attack under way, paused or not."""
        self.leaving: dict[Job, Start] = {}
        """Cancelled runs whose last step is still being made, with what they were started on."""
        self.ending: Ending | None = None
        """Of the newest run; None while one is under way, and before the first."""
        self._start: Start | None = None
        self._dragging = False
        self._follow = False
        """Whether the attack is to go on where its stickers are now."""
        self._contents: dict[int, Content] | None = None
        """What a held sticker attack has painted so far, by sticker; None: not known yet."""
        self._late: Outcome | None = None
        """Of an attack that ended while a sticker was under the mouse."""
        self._timer = QTimer(self)
        self._timer.setInterval(PREVIEW_MS)
        self._timer.timeout.connect(self._on_tick)
        session.lane.done.connect(self._on_done)

    @property
    def attack(self) -> Attack | None:
        """What is under way."""
        return None if self.job is None or self._start is None else self._start.attack

    @property
    def running(self) -> bool:
        """Whether there is one, paused or not."""
        return self.job is not None

    @property
    def seconds(self) -> float:
        """Since the attack began."""
        return 0.0 if self._start is None else time.perf_counter() - self._start.at

    def stop(self) -> None:
        """Ask for no more previews."""
        self._timer.stop()

    # ------------------------------------------------------------------ what is asked

    def shows_stickers(self, iterate: Frame) -> bool:
        """Whether an attack's iterate has the stickers as they are now; what a sticker attack paints on them is its own."""
        there = iterate.scene.stickers
        return same_places(there, self._session.stickers) if self._paints_stickers() else there == self._session.stickers

    # ------------------------------------------------------------------ begin and end

    def start(self, attack: Attack, *, seed: int = 0, data: Choice | None = None, begin: Tensor | None = None) -> None:
        """Run an attack on the image with its stickers; what is amiss is said in the Log and nothing changes."""
        session = self._session
        scene = session.scene
        if scene is None:
            session.notice.emit("Open an image first: there is nothing to attack.")
            return
        before = replace(scene, delta=None, grown=False)
        region = session.region if attack.masked else "image"
        given = AttackInputs(region, session.label, session.target, seed, data, begin)
        self._follow, self._contents = False, None
        self._start = Start(attack, before, given, dict(session.image), session.photograph)
        preview = preview_of(replace(before, grown=not attack.from_image), lambda: (session.bounds, session.saliency))
        sources = session.data_sources
        job = Job(
            "attack",
            lambda: make_run(attack, before, given, sources.load),
            look=preview,
            finish=completed,
            prepare=lambda: prepare(given, sources.loading),
        )
        self.job, self.ending = self._session.lane.submit(job), None
        if self._session.plan.live:
            job.want_preview()
        self._timer.start()
        self.changed.emit()

    def pause(self, paused: bool) -> None:
        """Hold the attack, or let it go on."""
        if self.job is not None:
            self._session.lane.pause(self.job, paused)
            self.changed.emit()

    def cancel(self) -> None:
        """End the attack; its best so far is kept.

        The window is free after `PATIENCE_MS` even where a step takes longer; what that step brings is adopted when it comes.
        """
        job = self.job
        if job is not None and not job.cancelled:
            self._session.lane.cancel(job)
            self.changed.emit()
            QTimer.singleShot(PATIENCE_MS, self, lambda: self._leave(job))

    def _leave(self, job: Job) -> None:
        if job is self.job and self._start is not None:
            self.job, self.leaving[job] = None, self._start
            self._timer.stop()
            self.ending = Ending(self._start.attack, job, "cancelled")
            self.changed.emit()

    @Slot()
    def _on_tick(self) -> None:
        job = self.job
        if job is None:
            self._timer.stop()
            return
        frame = job.take_preview()
        # An iterate over stickers that are elsewhere by now is no picture of what is on the canvas.
        if frame is not None and not self._dragging and not job.cancelled and self.shows_stickers(frame):
            self._session.show(frame)
        if self._session.plan.live:
            job.want_preview()
        self.changed.emit()

    @Slot(object)
    def _on_done(self, outcome: Outcome) -> None:
        start = self.leaving.pop(outcome.job, None)
        if start is not None and (self.job is not None or start is not self._start):  # cancelled, and another one has begun since
            if outcome.result is not None:
                self._remember(outcome.result, start, self._after(outcome.result, start))
            return
        if start is None and outcome.job is not self.job:
            return  # replaced by a newer run
        self.job = None
        self._timer.stop()
        self._note_ending(outcome)
        if outcome.failure is not None:
            short = "" if self.ending is None else self.ending.notice
            self._session.log("error", outcome.failure.sentence, outcome.failure.details, short=short)
        elif outcome.result is None:
            self._session.log("info", "The attack was cancelled before its first step.")
        if self._dragging and self._paints_stickers():
            self._late = outcome  # its content is put on the sticker once that is let go
            asked = False
        else:
            asked = self._conclude(outcome)
        self.changed.emit()
        if not asked:
            self._session.refresh()  # the canvas still shows an iterate

    def _note_ending(self, outcome: Outcome) -> None:
        if self._start is not None:
            sentence = "" if outcome.failure is None else outcome.failure.sentence
            self.ending = Ending(self._start.attack, outcome.job, outcome.status, sentence)

    def _conclude(self, outcome: Outcome) -> bool:
        """Keep what came out, on the canvas if that still shows what was attacked and nothing went wrong; whether a frame was asked for."""
        start, result = self._start, outcome.result
        self._follow, self._contents = False, None
        if start is None or result is None:
            return False
        after = self._after(result, start)
        if not self._session.is_current(start.before) or outcome.failure is not None:
            return self._remember(result, start, after)
        fields: dict[str, Any] = {"delta": after.delta, "grown": after.grown}  # a sticker attack began without a perturbation
        if start.paints_stickers:
            # Content only: a sticker that was moved meanwhile stays where it is.
            contents = {sticker.id: sticker.content for sticker in after.stickers}
            fields["stickers"] = with_contents(self._session.stickers, contents)
        text = "Optimise sticker content" if start.paints_stickers else start.attack.title
        return self._remember(result, start, after, text, **fields)

    def adopt(self, entry: FinishedRun, result: AttackResult, after: Scene, text: str) -> None:
        """Keep what came of a finished run's image by other means than a run, and put it on the canvas."""
        moved = FinishedRun(result, after, entry.before, entry.image, entry.given, entry.photograph)
        self._keep(moved, text, key="eps", delta=after.delta, grown=after.grown)

    def _after(self, result: AttackResult, start: Start) -> Scene:
        """What was attacked, with what came out."""
        before = start.before
        if start.paints_stickers:
            return replace(before, stickers=stickers_after(before.stickers, result))
        delta = (result.adversarial - result.clean)[0].detach().cpu()
        return replace(before, delta=delta, grown=is_grown(result))

    def _remember(self, result: AttackResult, start: Start, after: Scene, text: str = "", **fields: Any) -> bool:
        """Keep a run with the finished ones."""
        return self._keep(FinishedRun(result, after, start.before, start.image, start.given, start.photograph), text, **fields)

    def _keep(self, entry: FinishedRun, text: str = "", key: str | None = None, **fields: Any) -> bool:
        result = entry.result
        self._session.log("run", summary(result, entry.scene.classifier.labels), parameters(result))
        for note in result.remarks:
            self._session.log("info", note)
        asked = self._session.adopt(entry, text, key, **fields)
        if not self._session.is_current(entry.scene):
            ended = "was ended when" if str(result.reason) == "cancelled" else "ended after"
            sentence = f"{entry.title} {ended} something else was opened. Its best image so far is kept with the finished runs."
            self._session.log("info", sentence)
            self._session.notice.emit(sentence)
        return asked

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
        self._session.ask(
            "content",
            lambda: painted_so_far(job, start.before.stickers),
            lambda contents: self._on_contents(job, contents),
            what="Taking over the stickers' content",
        )

    def _on_contents(self, job: Job, contents: dict[int, Content]) -> None:
        if job is not self.job:
            return
        self._contents = contents
        self._session.change(stickers=self.filled(self._session.stickers))
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
            or same_places(start.before.stickers, self._session.stickers)
        ):
            return
        if same_ids(start.before.stickers, self._session.stickers):
            self._hold()
        else:
            self.cancel()  # what it paints is gone

    def _go_on(self) -> None:
        """Start the held attack again where its stickers are now."""
        start, job, follow = self._start, self.job, self._follow
        self._follow, self._contents = False, None
        if start is None or job is None or job.cancelled or not (follow or not same_places(start.before.stickers, self._session.stickers)):
            return
        left = max(1, (job.total or start.attack.steps) - max(0, job.index))  # type: ignore[attr-defined]
        self.start(start.attack.model_copy(update={"begin": "current", "steps": left}), seed=start.given.seed)
        if not follow:
            self.pause(True)
