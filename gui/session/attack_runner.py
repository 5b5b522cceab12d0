"""AttackRunner: runs one attack at a time, from its start to its `Conclusion`. It lives in the main thread and knows no session."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.lanes.runner import OperationRunner
from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import completed, make_run, prepare, preview_of
from gui.session.attack_start import Ending, Start, outcome_fields
from gui.session.conclusion import Conclusion
from gui.session.defense import Steps, known_to_attacker
from gui.session.scene import same_view
from gui.session.sticker_content import same_look, same_places
from gui.session.sticker_follower import StickerFollower

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Attack
    from engine.timeline import Timeline
    from gui.lanes.engine_thread import EngineThread
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.data_choice import Choice
    from gui.session.data_sources import DataSources
    from gui.session.history import AttackRun
    from gui.session.scene import Frame
    from gui.session.state import State

PATIENCE_MS = 150
TIMELINE_BYTES = 64 * 2**20
"""Memory for the iterates of a run."""
Request = Callable[..., None]
"""`Requests.ask`."""


class AttackRunner(QObject):
    """Starts an attack, pauses and cancels it, and hands over its result as a `Conclusion`.

    Its ``stickers`` keep a sticker attack at the places of the stickers that it paints.
    """

    changed = Signal()
    """A run began, was paused, resumed or cancelled, or ended."""
    progressed = Signal()
    """The timer has ticked during a run: read the progress from ``job``."""
    previewed = Signal(object)
    """A `Frame` of the newest iterate."""
    concluded = Signal(object)
    """A run has ended: its `Conclusion`."""
    logged = Signal(str, str, str, str)
    """A line for the messages: its kind, text, details, and the shorter text for the status bar."""
    noticed = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, lane: EngineThread, request: Request, current: Callable[[], State], sources: DataSources, parent: QObject) -> None:
        """``request`` is `Requests.ask`; ``current`` returns the present state."""
        super().__init__(parent)
        self._current, self._sources = current, sources
        self.runner = OperationRunner(lane, "attack", self, patience_ms=PATIENCE_MS, previews=lambda: current().plan.live)
        self.runner.changed.connect(self.changed)
        self.runner.progressed.connect(self.progressed)
        self.runner.previewed.connect(self._on_preview)
        self.runner.ended.connect(self._on_ended)
        self.pause, self.cancel, self.stop = self.runner.pause, self.runner.cancel, self.runner.stop
        self._start: Start | None = None
        """The scene and the inputs of the newest attack."""
        self._ending: Ending | None = None
        self._late: JobOutcome | None = None
        """The outcome of an attack that ended during a drag, kept until the drag ends."""
        self.stickers = StickerFollower(self.runner, request, current, lambda: self._start, self._restart, self)
        self.stickers.released.connect(self._on_released)

    @property
    def job(self) -> Job | None:
        """The attack's job, paused or not; None if no attack is in progress."""
        return self.runner.job

    @property
    def abandoned(self) -> list[Job]:
        """Cancelled runs whose last step still lasts."""
        return self.runner.abandoned

    @property
    def ending(self) -> Ending | None:
        """The ending of the newest run; None while one is in progress, and before the first."""
        outcome = self.runner.ending
        if outcome is None:
            self._ending = None
        elif self._ending is None or self._ending.outcome is not outcome:
            self._ending = Ending(outcome)
        return self._ending

    @property
    def attack(self) -> Attack | None:
        """The attack in progress; None if there is none."""
        return None if self.job is None or self._start is None else self._start.attack

    @property
    def timeline(self) -> Timeline | None:
        """The iterates of the attack in progress; None if there is none."""
        return None if self.job is None or self._start is None else self._start.timeline

    @property
    def defense(self) -> Steps:
        """The defense that the attack in progress goes through; empty if there is none."""
        return () if self.job is None or self._start is None else self._start.inputs.defense

    @property
    def target_name(self) -> str:
        """The name of the class that the attack in progress was given as its target; empty for none."""
        start = None if self.job is None else self._start
        if start is None or start.inputs.target is None or "targets" not in start.attack.uses:
            return ""
        return start.before.classifier.labels[start.inputs.target]

    @property
    def reached_before(self) -> bool:
        """Whether the image counted as a success before the attack in progress, as far as that is known; a result knows it exactly."""
        return self.job is not None and self._start is not None and self._start.reached_before

    def is_attacked(self, state: State) -> bool:
        """Return whether a state has the image and the stickers of the attack in progress."""
        start = self._start
        if self.job is None or start is None or not state.is_current(start.before):
            return False
        return (same_places if start.paints_stickers else same_look)(start.before.stickers, state.stickers)

    @property
    def running(self) -> bool:
        """Whether an attack is in progress, paused or not."""
        return self.runner.running

    @property
    def seconds(self) -> float:
        """The seconds since the newest attack began."""
        return 0.0 if self._start is None else time.perf_counter() - self._start.at

    # ------------------------------------------------------------------ questions about the run

    def shows_stickers(self, iterate: Frame) -> bool:
        """Return whether an iterate has the canvas's stickers; for a sticker attack the content that it paints may differ."""
        there = iterate.scene.stickers
        return (same_places if self.stickers.paints else same_look)(there, self._current().stickers)

    def _is_up_to_date(self, iterate: Frame) -> bool:
        """Return whether an iterate has the canvas's stickers and is looked at as the canvas is now."""
        here = self._current().scene
        return here is not None and same_view(iterate.scene, here) and self.shows_stickers(iterate)

    def so_far(self, number: int) -> AttackRun | None:
        """Return the attack in progress as a run that ends here, under a number; None if it has made no step. Called in its lane.

        The session saves itself with it, so that a run of hours outlives a power cut.
        """
        from engine import Reason

        job, start = self.job, self._start
        result = None if job is None or start is None else job.result()
        if result is None or start is None:
            return None
        result = completed(replace(result, reason=Reason.CANCELLED))
        return start.finished(result, start.after(result), number)

    # ------------------------------------------------------------------ begin and end

    def start(
        self,
        attack: Attack,
        *,
        seed: int = 0,
        data: Choice | None = None,
        begin: Tensor | None = None,
        planned: Attack | None = None,
        base: int | None = None,
        defense: Steps | None = None,
    ) -> None:
        """Start an attack on the image with its stickers. If its run cannot be built, the error goes to the messages and nothing changes.

        ``planned`` is the attack that the user planned, where this one continues it; ``base`` is the model's prediction for the image that
        the attack begins at, where it is known; ``defense`` the one that the attack goes through, None as planned.
        """
        state = self._current()
        scene, sources = state.scene, self._sources
        if scene is None:
            self.noticed.emit("Open an image first: there is nothing to attack.")
            return
        from engine.timeline import Timeline

        through = known_to_attacker(scene.defense, state.plan.knows_defense) if defense is None else defense
        before = replace(scene, delta=None, grown=False, defense=through)
        region = state.region if attack.masked else "image"
        chosen = state.plan.start if state.plan.start is not None and state.plan.start.image is begin else None
        name, prediction = ("", None) if chosen is None else (chosen.name, chosen.prediction)
        inputs = AttackInputs(region, state.label, state.target, seed, data, begin, name, prediction, planned, through)
        label = state.prediction if state.label is None else state.label
        self.stickers.reset()
        self._start = begun = Start(attack, before, inputs, dict(state.image), state.photograph, Timeline(TIMELINE_BYTES), base, label)
        self.runner.start(
            lambda: make_run(attack, before, inputs, sources.load, begun.timeline),
            make_preview=preview_of(replace(before, grown=not attack.from_image), self._current),
            finish=completed,
            prepare=lambda: prepare(inputs, sources.loading),
            collect=True,
            settle=begun.timeline.settle,
            context=self._start,
        )

    @Slot()
    def _on_preview(self) -> None:
        frame, job = self.runner.preview, self.job
        # An iterate with the stickers at their former places, or under another bound, would contradict the canvas.
        if job is not None and not self.stickers.dragging and not job.cancelled and self._is_up_to_date(frame):
            self.previewed.emit(frame)

    @Slot(object)
    def _on_ended(self, outcome: JobOutcome) -> None:
        start: Start = outcome.job.context
        if self.running or start is not self._start:  # it was cancelled, and another attack has begun since
            if outcome.result is not None:
                self._keep(start.finished(outcome.result, start.after(outcome.result)), repaint=False)
            return
        if outcome.failure is not None:
            short = "" if self.ending is None else self.ending.notice
            self.logged.emit("error", outcome.failure.sentence, outcome.failure.details, short)
        elif outcome.result is None:
            self.logged.emit("info", "The attack was cancelled before its first step.", "", "")
        if self.stickers.dragging and self.stickers.paints:
            self._late = outcome  # `_on_released` puts its content on the sticker
            self.concluded.emit(Conclusion())
        else:
            self._conclude(outcome)

    def _conclude(self, outcome: JobOutcome) -> None:
        """Hand over the result; it is put on the canvas if that still shows the scene that was attacked and the run did not fail."""
        start, result, state = self._start, outcome.result, self._current()
        self.stickers.reset()
        if start is None or result is None:
            self.concluded.emit(Conclusion())
            return
        after = start.after(result)
        entry = start.finished(result, after)
        if not state.is_current(start.before) or outcome.failure is not None:
            self._keep(entry)
            return
        text = "Optimise sticker content" if start.paints_stickers else start.attack.title
        self._keep(entry, text, outcome_fields(after, result, state))

    def _keep(self, entry: AttackRun, text: str = "", fields: Mapping[str, Any] | None = None, *, repaint: bool = True) -> None:
        self.concluded.emit(Conclusion(entry, text, fields=fields or {}, repaint=repaint))
        if not self._current().is_current(entry.scene):
            ended = "was ended when" if entry.ended == "cancelled" else "ended after"
            sentence = f"{entry.title} {ended} something else was opened. Its best image so far is kept with the finished runs."
            self.logged.emit("info", sentence, "", "")
            self.noticed.emit(sentence)

    @Slot()
    def _on_released(self) -> None:
        """Put the content of an attack that ended during the drag on its stickers."""
        late, self._late = self._late, None
        if late is not None:
            self._conclude(late)

    def _restart(self, attack: Attack, seed: int) -> None:
        before = self._start
        if before is None:
            self.start(attack, seed=seed)
        else:
            planned = before.inputs.planned or before.attack
            self.start(attack, seed=seed, planned=planned, base=before.base, defense=before.inputs.defense)
