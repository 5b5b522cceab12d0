"""IterateKeeper: makes the iteration that is shown a finished run of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.session.attack_job import completed
from gui.session.attack_start import outcome_fields, scene_after
from gui.session.conclusion import Conclusion
from gui.session.history import AttackRun

if TYPE_CHECKING:
    from engine.timeline import KeptStep
    from gui.session.attack_runner import Request
    from gui.session.moments import Moments
    from gui.session.state import State


class IterateKeeper(QObject):
    """Keeps an iteration of a finished run in the history. Its record replays the attack up to that iteration."""

    concluded = Signal(object)
    """A `Conclusion` with the kept run."""
    logged = Signal(str, str)
    """A line for the messages: its kind and text."""
    noticed = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, request: Request, moments: Moments, current: Callable[[], State], parent: QObject) -> None:
        """``current`` returns the present state."""
        super().__init__(parent)
        self._request, self._moments, self._current = request, moments, current

    @property
    def reason(self) -> str:
        """The reason why nothing can be kept now, as a sentence; empty if the iteration that is shown can be."""
        moments = self._moments
        if moments.timeline is None:
            return "No run with iterations is on the canvas."
        if moments.live:
            return "An iteration can be kept when the attack has ended."
        if moments.step is None:
            return "The canvas shows the result, which is kept. Move to another iteration first."
        return ""

    @property
    def run(self) -> AttackRun | None:
        """The finished run as the canvas shows it: at an iteration with that one's image and numbers. None if there is none.

        What leaves the program, such as a figure or a saved image, is made of this one.
        """
        source, step, shown = self._moments.source, self._moments.step, self._moments.run
        return shown if source is None or step is None or shown is None else iterate_of(source, step, number=source.number)

    @Slot()
    def keep(self) -> None:
        """Keep the iteration that is shown as a run of its own, which is then on the canvas; undo takes the canvas back."""
        if self.reason:
            self.noticed.emit(self.reason)
            return
        source, step = self._moments.source, self._moments.step
        assert source is not None
        assert step is not None

        def then(kept: AttackRun) -> None:
            if self._moments.source is not source:
                self.logged.emit("info", f"Iteration {step.index} was not kept: something else was put on the canvas meanwhile.")
                return
            self._moments.leave()
            fields = outcome_fields(kept.scene, kept.result, self._current())
            self.concluded.emit(Conclusion(kept, f"Keep iteration {step.index}", fields=fields))

        def work() -> AttackRun:
            made = iterate_of(source, step)
            return replace(made, result=completed(made.result))

        self._request("iterate.kept", work, then, what=f"Keeping iteration {step.index}", keep=True)


def iterate_of(source: AttackRun, step: KeptStep, number: int | None = None) -> AttackRun:
    """Return a step of a run as a run: of the next number, or of the given ``number``, that of ``source``."""
    from engine.iterate import at_step

    result = at_step(source.result, step)
    numbered: dict[str, Any] = {} if number is None else {"number": number}
    return AttackRun(
        **numbered,
        result=result,
        scene=scene_after(source.before, result),
        before=source.before,
        image=source.image,
        inputs=source.inputs,
        photograph=source.photograph,
        iteration_of=source.number,
    )
