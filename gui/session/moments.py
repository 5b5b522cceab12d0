"""Moments: the one current moment, that is, which iteration of the run is on the canvas. Every panel follows it through the frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.session.scene import Iterate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.timeline import KeptStep, Timeline
    from gui.session.attack_runner import AttackRunner
    from gui.session.history import AttackRun, History
    from gui.session.scene import Frame
    from gui.session.state import State

    Values = npt.NDArray[np.floating]

RATES = (4, 12, 30)
"""Iterations a second at which a timeline can be played."""


class Moments(QObject):
    """The timeline of the run on the canvas, or of the attack in progress, and the iteration of it that is shown.

    ``index`` is None at the end: the canvas shows a finished run's result or, of an attack in progress, its newest iterate. Any change of
    what is on the canvas goes back to the end: a sticker, an image, a model, another run, another eps.
    """

    changed = Signal()
    """Another iteration, another timeline, or none, or the play button was pressed."""
    grown = Signal()
    """The attack in progress may have made more steps."""
    asked = Signal()
    """A frame of the present moment is needed."""
    previewed = Signal(object)
    """A `Frame` of the newest iterate of the attack in progress, which is followed."""

    def __init__(self, runs: AttackRunner, history: History, current: Callable[[], State], parent: QObject) -> None:
        """``current`` returns the present state."""
        super().__init__(parent)
        self._runs, self._history, self._current = runs, history, current
        self.timeline: Timeline | None = None
        self.index: int | None = None
        """The number of the iteration that is shown; None at the end."""
        self.rate = RATES[1]
        self.loop = False
        self._of: AttackRun | None = None
        """The finished run that the timeline was taken from; None for the attack in progress."""
        self._end: int | None = None
        """The number of the iteration that the finished run's result is; None during a run, or if thinning has dropped it."""
        self._waiting = False
        """Whether the frame of the present moment has not arrived yet."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        runs.changed.connect(self.follow)
        runs.progressed.connect(self._on_progress)
        runs.previewed.connect(self._on_preview)
        history.changed.connect(self.follow)

    # ------------------------------------------------------------------ reading

    @property
    def live(self) -> bool:
        """Whether the timeline is that of the attack in progress."""
        return self._runs.running

    @property
    def run(self) -> AttackRun | None:
        """The finished run on the canvas; None while an attack is in progress, or if no run is on the canvas."""
        return None if self.live else self._history.shown

    @property
    def source(self) -> AttackRun | None:
        """The run that made the timeline: `run`, or the one that it was kept from."""
        return None if self.run is None else self._history.source(self.run)

    @property
    def steps(self) -> tuple[KeptStep, ...]:
        """The kept iterations, in order."""
        return () if self.timeline is None else self.timeline.settled

    @property
    def step(self) -> KeptStep | None:
        """The iteration that is shown; None at the end."""
        return None if self.index is None or self.timeline is None else self.timeline.nearest(self.index)

    @property
    def end(self) -> int | None:
        """The number of the iteration that the canvas shows at the end: the newest during a run, later the one that the result is."""
        steps = self.steps
        if not steps:
            return None
        return steps[-1].index if self.live else self._end

    @property
    def total(self) -> int | None:
        """The number of the last iteration that is expected; None if unknown."""
        steps = self.steps
        if not steps:
            return None
        return steps[-1].total if self.live else steps[-1].index

    @property
    def flip(self) -> int | None:
        """The number of the first iteration with a success; None if there was none yet, or if the image was a success before the attack."""
        if self.timeline is None or (self._runs.reached_before if self.live else self._of is not None and self._of.reached_before):
            return None
        return self.timeline.flip

    def losses(self) -> tuple[Values, Values]:
        """Return the numbers of the steps so far and their losses, of a finished run all, of the attack in progress thinned evenly."""
        import numpy as np

        source, job = self.source, self._runs.job
        if self.live:
            points = () if job is None else job.losses
            return np.array([point.index for point in points], float), np.array([point.values["loss"] for point in points], float)
        if source is None:
            return np.zeros(0), np.zeros(0)
        numbers, losses = source.result.trace_steps[:, 0].numpy(), source.result.trace[:, 0].numpy()
        made = numbers >= 0
        return numbers[made].astype(float), losses[made].astype(float)

    @property
    def loss_name(self) -> str:
        """The name of the loss, with its sign and the class that the attack goes towards; empty without a timeline."""
        if self.timeline is None:
            return ""
        from engine.loss_names import loss_name, loss_name_of

        run, attack = self.run, self._runs.attack
        if run is not None:
            return loss_name_of(run.result)
        return "" if attack is None else loss_name(attack, self._runs.target_name)

    @property
    def playing(self) -> bool:
        """Whether the timeline is played."""
        return self._timer.isActive()

    # ------------------------------------------------------------------ moving

    @Slot(int)
    def show(self, index: int | None) -> None:
        """Show the kept iteration nearest to ``index``; None shows the end."""
        step = None if index is None or self.timeline is None else self.timeline.nearest(index)
        shown = None if step is None else step.index
        if shown != self.index:
            self._set(shown)
            self.asked.emit()

    def move(self, by: int) -> None:
        """Move by a number of kept iterations, back by a negative one; at the end it begins at the iteration that the end shows."""
        steps = self.steps
        if steps:
            here = self._here(steps)
            self.show(steps[min(max(here + by, 0), len(steps) - 1)].index)

    def first(self) -> None:
        """Show the first iteration."""
        if self.steps:
            self.show(self.steps[0].index)

    def last(self) -> None:
        """Show the last iteration; it need not be the result, which is the best one."""
        if self.steps:
            self.show(self.steps[-1].index)

    def to_flip(self) -> None:
        """Show the first iteration with a success, if there is one."""
        if self.flip is not None:
            self.show(self.flip)

    @Slot()
    def to_end(self) -> None:
        """Show the result; during a run follow the newest iterate."""
        self.pause()
        self.show(None)

    # ------------------------------------------------------------------ playing

    @Slot()
    def play(self) -> None:
        """Play the iterations from the one that is shown; from the end, or the last one, begin again at the first."""
        steps = self.steps
        if len(steps) < 2:
            return
        if self.index is None or self._here(steps) == len(steps) - 1:
            self.first()
        self._timer.start(round(1000 / self.rate))
        self.changed.emit()

    @Slot()
    def pause(self) -> None:
        """Stop playing at the iteration that is shown."""
        if self._timer.isActive():
            self._timer.stop()
            self.changed.emit()

    @Slot()
    def toggle(self) -> None:
        """Play, or stop playing."""
        (self.pause if self.playing else self.play)()

    def set_rate(self, rate: int) -> None:
        """Set the iterations that are played a second."""
        self.rate = rate
        if self.playing:
            self._timer.setInterval(round(1000 / rate))
        self.changed.emit()

    def set_loop(self, loop: bool) -> None:
        """Set whether playing begins again at the end."""
        self.loop = loop
        self.changed.emit()

    @Slot()
    def _on_tick(self) -> None:
        if self._waiting:
            return  # the frame before is on its way: none is left out
        steps = self.steps
        here = self._here(steps)
        if here < len(steps) - 1:
            self.show(steps[here + 1].index)
        elif self.loop:
            self.first()
        else:
            self.to_end()

    def stop(self) -> None:
        """Stop the timer, since the window closes."""
        self._timer.stop()

    def _here(self, steps: tuple[KeptStep, ...]) -> int:
        """Return the place of the iteration on the canvas among the kept ones."""
        at = self.index if self.index is not None else self.end
        if at is None:
            return len(steps) - 1
        return min(range(len(steps)), key=lambda place: abs(steps[place].index - at), default=0)

    # ------------------------------------------------------------------ frames

    def iterate(self, seen: Frame | None) -> Iterate | None:
        """Return the iterate that the next frame is to show; None for the canvas as it is.

        ``seen`` is the newest frame: while an attack is in progress and followed, its iterate is shown again.
        """
        step, run = self.step, self.run
        if step is not None and self._belongs():
            number = None if run is None else run.number
            return Iterate(step.adversarial[0], step.index, number, self._is_grown())
        if not self.live or seen is None or seen.step is None:
            return None
        newest = self.steps[-1] if self.steps and self._belongs() else None
        if seen.run is None and self._runs.shows_stickers(seen) and (newest is None or seen.step >= newest.index):
            return Iterate(seen.observation.adversarial_image, seen.step, None, self._is_grown())
        return None if newest is None else Iterate(newest.adversarial[0], newest.index, None, self._is_grown())

    def admits(self, frame: Frame) -> bool:
        """Return whether a frame may be shown: not one of an iterate of a finished run that was left meanwhile."""
        if frame.run is not None and (self.index is None or self.run is None or self.run.number != frame.run):
            return False
        if frame.step == self.index:
            self._waiting = False
        return True

    def _belongs(self) -> bool:
        """Return whether the canvas still is what the timeline's run made or, during a run, what is attacked."""
        state, run = self._current(), self.run
        return self._runs.is_attacked(state) if run is None else run.is_outcome(state)

    def _is_grown(self) -> bool:
        run, attack = self.run, self._runs.attack
        return run.scene.grown if run is not None else attack is not None and not attack.from_image

    @Slot(object)
    def _on_preview(self, frame: Frame) -> None:
        if self.index is None:
            self.previewed.emit(frame)

    # ------------------------------------------------------------------ following

    @Slot()
    def follow(self) -> None:
        """Take the timeline of what is on the canvas; an iteration of another one is left."""
        source, run = self.source, self.run
        timeline = self._runs.timeline if self.live else None if source is None else source.timeline
        same = timeline is self.timeline and (run is self._of or self._of is None)  # its run has ended, if it had none before
        index, self.timeline, self._of = self.index, timeline, run
        self._end = None if run is None else _place_of_result(run, self.steps)
        if same and index is not None and self.step is not None and self._belongs():
            self._set(self.step.index)  # the run has ended, or its timeline was thinned
        else:
            self._timer.stop()
            self._set(None)
        if index is not None:
            self.asked.emit()

    @Slot()
    def leave(self) -> None:
        """Go back to the end, since something else is put on the canvas, such as the run at another eps."""
        if self.index is not None:
            self._timer.stop()
            self._set(None)

    @Slot()
    def _on_progress(self) -> None:
        if self.index is not None and not self._belongs():
            self._timer.stop()
            self._set(None)
            self.asked.emit()
        self.grown.emit()

    def _set(self, index: int | None) -> None:
        self._waiting = index is not None
        self.index = index
        self.changed.emit()


def _place_of_result(run: AttackRun, steps: tuple[KeptStep, ...]) -> int | None:
    """Return the number of the iteration that is the run's result, bit for bit; None if thinning has dropped it."""
    if run.result.iteration is not None:
        return run.result.iteration
    result = run.result.adversarial.cpu()
    return next((step.index for step in reversed(steps) if step.adversarial.shape == result.shape and step.adversarial.equal(result)), None)
