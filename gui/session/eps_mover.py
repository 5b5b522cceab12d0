"""EpsMover: a finished FGSM run at another eps, live while a slider moves, kept as a run of its own when it is let go."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gui.session.attack_job import completed
from gui.session.scene import Frame, Scene, look

if TYPE_CHECKING:
    from engine import AttackResult
    from gui.session.history import AttackRun
    from gui.session.session import Session


def movable(entry: AttackRun) -> bool:
    """Whether a run keeps what it takes to move its eps: the direction of its one step."""
    from engine.attacks import FGSM

    return isinstance(entry.result.operation, FGSM) and "direction" in entry.result.artifacts


def at_eps(entry: AttackRun, eps: float) -> tuple[AttackResult | None, Scene]:
    """The result at that eps and its scene; at 0 there is no attack. Called in the engine thread."""
    if eps <= 0:
        return None, entry.before
    from engine.attacks import fgsm_at_eps

    result = fgsm_at_eps(entry.result, eps)
    return result, replace(entry.before, delta=(result.adversarial - result.clean)[0].detach().cpu())


class EpsMover(QObject):
    """Asks the engine thread; of the places that a slider passes while it is busy only the newest is shown."""

    moved = Signal(float)
    """The eps that the canvas shows, of the run on it."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session

    def move(self, entry: AttackRun, eps: float) -> None:
        """Show a run at another eps."""
        session, asked = self._session, time.perf_counter()
        bounds, saliency = dict(session.bounds), session.saliency

        def at_new_eps() -> Frame:
            _, scene = at_eps(entry, eps)
            return look(replace(scene, bounds=bounds, saliency=saliency), asked_at=asked)

        def then(frame: Frame) -> None:
            if self._shows(entry):
                session.show(frame)
                self.moved.emit(eps)

        session.ask("moved", at_new_eps, then, what="Moving eps", stream=True)

    def keep(self, entry: AttackRun, eps: float) -> None:
        """Make the run at that eps a finished one; at 0 the run of before is shown again."""
        if eps <= 0 or eps == getattr(entry.result.operation, "eps", None):
            self._back(entry, eps)
            return

        def make() -> tuple[AttackResult, Scene]:
            result, scene = at_eps(entry, eps)
            assert result is not None
            # The direction is the same, so the curve along it is, too: it keeps its range.
            return completed(replace(result, artifacts=entry.result.artifacts)), scene

        def then(made: tuple[AttackResult, Scene]) -> None:
            if self._shows(entry):
                self._session.runs.adopt(entry, *made, text=f"Move eps to {eps:.3g}")
            else:
                self._session.log("info", f"{entry.title} at eps {eps:.3g} was not kept: something else was put on the canvas meanwhile.")

        self._session.ask("moved.kept", make, then, what="Keeping the run at that eps", keep=True)

    def _back(self, entry: AttackRun, eps: float) -> None:
        if eps <= 0:
            self._session.notice.emit("At eps 0 there is no attack: the run of before is shown again.")
        self._session.refresh()
        self.moved.emit(float(getattr(entry.result.operation, "eps", 0.0)))

    def _shows(self, entry: AttackRun) -> bool:
        """Whether the canvas shows that run, or one that was made from it: they share their direction, and with it their artifacts."""
        shown = self._session.history.shown
        return shown is not None and shown.result.artifacts is entry.result.artifacts and not self._session.runs.running
