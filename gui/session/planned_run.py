"""PlannedRun: starts the planned attack, or says what is in its way. Run in the spine, the menu and F5 all come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gui.session.readiness import Obstacle, hint, obstacle, takes_start

if TYPE_CHECKING:
    from gui.session.host import Host


class PlannedRun(QObject):
    """Knows whether the planned attack can start. The session owns the only instance."""

    changed = Signal()
    """The obstacle to the attack, or the hint on it, may have changed."""
    targetWanted = Signal()
    """The user has chosen a setting that works towards a class, and no target is chosen: ask for one."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._complaint = ""
        """The obstacle's sentence that the status bar shows."""
        for signal in (
            session.engineReady,
            session.classifierChanged,
            session.labelChanged,
            session.imageChanged,
            session.stickersChanged,
            session.planChanged,
            session.data_sources.changed,
            session.runs.changed,
        ):
            signal.connect(self._on_changed)
        session.observed.connect(self._on_observed)
        self._base: int | None = None

    @property
    def obstacle(self) -> Obstacle | None:
        """The first obstacle to starting the planned attack; None if it can start."""
        return obstacle(self._session.state, self._session.data_sources)

    @property
    def hint(self) -> str:
        """A sentence on a doubtful setting that does not keep the attack from starting; empty if there is none."""
        return hint(self._session.state, self.base_prediction)

    @property
    def base_prediction(self) -> int | None:
        """The attacked model's prediction for the image that an attack would begin at, with its stickers; None while it is not known.

        It is made behind the defense if the attacker knows that.
        """
        session, frame = self._session, self._session.frame
        state = session.state
        known = state.plan.knows_defense and bool(state.defense)
        if not session.stickers and not known:
            return state.prediction
        if frame is None or frame.scene.stickers != session.stickers:
            return None
        defended = frame.observation.defended
        if known and (defended is None or defended.steps != state.defense):
            return None
        seen = frame.observation if defended is None or not known else defended
        if not session.stickers:
            return int(seen.clean_prediction)
        bare = frame.scene.delta is None and frame.step is None
        return int(seen.adversarial_prediction) if bare else None

    @Slot(str)
    def choose(self, slug: str) -> None:
        """Choose another attack, which keeps the parameters that it had before."""
        from engine.attacks import CATALOGUE

        self._session.change(f"Choose {CATALOGUE[slug].title}", key="attack", **self._session.plan.choosing(slug))

    @Slot()
    def run(self) -> None:
        """Start the attack or resume the paused one; if there is an obstacle, say that instead."""
        session, plan = self._session, self._session.plan
        if session.runs.job is not None:
            if session.runs.job.paused:
                session.runs.pause(False)
            return
        in_the_way, attack = self.obstacle, None
        if in_the_way is None:
            attack, _ = plan.built
        if attack is None:
            self._complaint = "" if in_the_way is None else in_the_way.sentence
            session.notice.emit(self._complaint)
            return
        session.runs.start(
            attack,
            seed=plan.seed,
            data=plan.data if "data" in attack.uses else None,
            begin=plan.start.image if plan.start is not None and takes_start(type(attack)) else None,
            base=session.state.prediction if "stickers" in attack.uses and not plan.knows_defense else self.base_prediction,
        )

    @Slot()
    def _on_changed(self) -> None:
        """Withdraw a complaint that no longer applies."""
        if self._complaint:
            in_the_way = self.obstacle
            if in_the_way is None or in_the_way.sentence != self._complaint:
                self._session.withdrawn.emit(self._complaint)
                self._complaint = ""
        self.changed.emit()

    @Slot()
    def _on_observed(self) -> None:
        base = self.base_prediction
        if base != self._base:
            self._base = base
            self.changed.emit()
