"""EpsMover: shows a finished FGSM run at another eps while a slider moves, and keeps it as a run of its own on release."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gui.session.attack_job import completed
from gui.session.conclusion import Conclusion
from gui.session.history import AttackRun
from gui.session.scene import Frame, Scene, observe_scene, same_surroundings
from gui.session.state import AttackSettings

if TYPE_CHECKING:
    from engine import AttackResult
    from gui.session.attack_runner import Request
    from gui.session.state import Plan, State


def movable(entry: AttackRun) -> bool:
    """Return whether a run's eps can be moved: FGSM stores the direction of its one step."""
    from engine.attacks import FGSM

    return isinstance(entry.result.operation, FGSM) and "direction" in entry.result.artifacts


def at_eps(entry: AttackRun, eps: float) -> tuple[AttackResult | None, Scene]:
    """Return the result at another eps and its scene; at 0 there is no result. Called in the engine thread."""
    if eps <= 0:
        return None, entry.before
    from engine.attacks import fgsm_at_eps

    result = fgsm_at_eps(entry.result, eps)
    return result, replace(entry.before, delta=(result.adversarial - result.clean)[0].detach().cpu())


def _planned(plan: Plan, made: AttackRun) -> dict[str, Any]:
    """Return the fields that set the planned eps to that of a run, so that the form says the same, if the run's attack is planned."""
    from engine.parameters import parameters_of

    attack = made.result.operation
    if plan.slug != attack.slug:
        return {}
    eps = attack.eps  # type: ignore[attr-defined]
    others = {name: value for name, value in plan.settings.parameters.items() if name != "eps"}
    mine = {} if eps == parameters_of(type(attack))["eps"].default else {"eps": eps}
    return {"settings": AttackSettings({**others, **mine}, plan.settings.preset)}


class EpsMover(QObject):
    """Requests frames at the slider's values; while one is being made, only the newest value waits."""

    moved = Signal(float)
    """The canvas shows the run at this eps."""
    previewed = Signal(object)
    """A `Frame` of the run at another eps."""
    concluded = Signal(object)
    """A `Conclusion`: a run at another eps to be kept, or an empty one that shows the run as it was."""
    logged = Signal(str, str)
    """A line for the messages: its kind and text."""
    noticed = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, request: Request, current: Callable[[], State], shown: Callable[[], AttackRun | None], parent: QObject) -> None:
        """``shown`` returns the run on the canvas; None if there is none, or while an attack is in progress."""
        super().__init__(parent)
        self._request, self._current, self._shown = request, current, shown

    def move(self, entry: AttackRun, eps: float) -> None:
        """Show a run at another eps while the slider moves."""
        state, requested_at = self._current(), time.perf_counter()

        def at_new_eps() -> Frame:
            _, scene = at_eps(entry, eps)
            return observe_scene(state.looking_at(scene), requested_at=requested_at)

        def then(frame: Frame) -> None:
            if self._shows(entry) and same_surroundings(frame.scene, self._current().scene):
                self.previewed.emit(frame)
                self.moved.emit(eps)

        self._request("moved", at_new_eps, then, what="Moving eps", stream=True)

    def keep(self, entry: AttackRun, eps: float) -> None:
        """Keep the run at another eps as a finished run; at 0 or at its own eps show the run as it was."""
        if eps <= 0 or eps == getattr(entry.result.operation, "eps", None):
            self._back(entry, eps)
            return

        def make() -> AttackRun:
            result, scene = at_eps(entry, eps)
            assert result is not None
            # The direction is unchanged, so the curve along it is, too.
            made = completed(replace(result, artifacts=entry.result.artifacts))
            return AttackRun(
                result=made, scene=scene, before=entry.before, image=entry.image, inputs=entry.inputs, photograph=entry.photograph
            )

        def then(made: AttackRun) -> None:
            if self._shows(entry):
                fields = {"delta": made.scene.delta, "grown": made.scene.grown, **_planned(self._current().plan, made)}
                self.concluded.emit(Conclusion(made, f"Move eps to {eps:.3g}", "eps", fields))
            else:
                self.logged.emit("info", f"{entry.title} at eps {eps:.3g} was not kept: something else was put on the canvas meanwhile.")

        def failed(_sentence: str) -> None:
            self.concluded.emit(Conclusion())  # the preview on the canvas is of no run

        self._request("moved.kept", make, then, what="Keeping the run at that eps", failed=failed, keep=True)

    def _back(self, entry: AttackRun, eps: float) -> None:
        if eps <= 0:
            self.noticed.emit("At eps 0 there is no attack: the run of before is shown again.")
        self.concluded.emit(Conclusion())
        self.moved.emit(float(getattr(entry.result.operation, "eps", 0.0)))

    def _shows(self, entry: AttackRun) -> bool:
        """Return whether the canvas shows the run or one derived from it: these share their artifacts."""
        shown = self._shown()
        return shown is not None and shown.result.artifacts is entry.result.artifacts
