"""What an attack was started on, and how it ended: the values that the attack runner hands round."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import is_grown
from gui.session.history import AttackRun
from gui.session.scene import Scene
from gui.session.sticker_content import stickers_after

if TYPE_CHECKING:
    from engine import Attack, AttackResult
    from engine.images import Photograph
    from gui.lanes.jobs import Job, JobOutcome


@dataclass(frozen=True, eq=False)
class Start:
    """What an attack was started on: its outcome belongs to that, whatever is on the canvas by then."""

    attack: Attack
    before: Scene
    given: AttackInputs
    image: Mapping[str, Any]
    photograph: Photograph | None
    at: float = field(default_factory=time.perf_counter)

    @property
    def paints_stickers(self) -> bool:
        """Whether the attack makes stickers' content, not a perturbation."""
        return "stickers" in self.attack.uses

    def after(self, result: AttackResult) -> Scene:
        """The scene that was attacked, with what came out."""
        if self.paints_stickers:
            return replace(self.before, stickers=stickers_after(self.before.stickers, result))
        delta = (result.adversarial - result.clean)[0].detach().cpu()
        return replace(self.before, delta=delta, grown=is_grown(result))

    def finished(self, result: AttackResult, after: Scene) -> AttackRun:
        """The run as the history keeps it."""
        return AttackRun(result=result, scene=after, before=self.before, image=self.image, given=self.given, photograph=self.photograph)


@dataclass(frozen=True, eq=False)
class Ending:
    """How the newest attack ended."""

    outcome: JobOutcome

    @property
    def attack(self) -> Attack:
        """The attack that ended."""
        start: Start = self.outcome.job.context
        return start.attack

    @property
    def scene(self) -> Scene:
        """What was attacked."""
        start: Start = self.outcome.job.context
        return start.before

    @property
    def job(self) -> Job:
        """Its job, which says how far it came."""
        return self.outcome.job

    @property
    def status(self) -> str:
        """finished, cancelled, budget or failed."""
        return self.outcome.status

    @property
    def sentence(self) -> str:
        """What went wrong; empty: nothing did."""
        return "" if self.outcome.failure is None else self.outcome.failure.sentence

    @property
    def notice(self) -> str:
        """The sentence for the status bar, where it failed."""
        return f"{self.attack.title} failed: the Attack dock and the Log say why."
