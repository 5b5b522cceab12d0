"""Start and Ending of an attack: frozen values that the attack runner passes on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gui.session.attack_inputs import AttackInputs
from gui.session.attack_job import is_grown
from gui.session.history import AttackRun, new_number
from gui.session.scene import Scene
from gui.session.sticker_content import stickers_after, with_contents

if TYPE_CHECKING:
    from engine import Attack, AttackResult
    from engine.images import Photograph
    from engine.timeline import Timeline
    from gui.lanes.jobs import Job, JobOutcome
    from gui.session.state import State


@dataclass(frozen=True, eq=False)
class Start:
    """The scene and the inputs of an attack. Its result belongs to them, even if the canvas has changed since."""

    attack: Attack
    before: Scene
    inputs: AttackInputs
    image: Mapping[str, Any]
    photograph: Photograph | None
    timeline: Timeline
    """Keeps the attack's iterates."""
    base: int | None = None
    """The model's prediction for the image that the attack begins at; None if it is not known."""
    label: int | None = None
    """The true label, given or assumed; None if it is not known."""
    at: float = field(default_factory=time.perf_counter)

    @property
    def paints_stickers(self) -> bool:
        """Whether the attack makes the content of stickers, not a perturbation."""
        return "stickers" in self.attack.uses

    @property
    def reached_before(self) -> bool:
        """Whether the image counted as a success before the attack, as far as its prediction is known."""
        if self.base is None or not self.attack.from_image:
            return False
        if self.inputs.target is not None and "targets" in self.attack.uses:
            return self.base == self.inputs.target
        return self.label is not None and self.base != self.label

    def after(self, result: AttackResult) -> Scene:
        """Return the attacked scene with the result's perturbation or sticker content."""
        return scene_after(self.before, result)

    def finished(self, result: AttackResult, after: Scene, number: int | None = None) -> AttackRun:
        """Return the finished run for the history, with the next number if none is given."""
        return AttackRun(
            number=new_number() if number is None else number,
            result=result,
            scene=after,
            before=self.before,
            image=self.image,
            inputs=self.inputs,
            photograph=self.photograph,
            timeline=self.timeline,
        )


def scene_after(before: Scene, result: AttackResult) -> Scene:
    """Return the attacked scene with a result's perturbation or sticker content."""
    if "stickers" in result.operation.uses:
        return replace(before, stickers=stickers_after(before.stickers, result))
    delta = (result.adversarial - result.clean)[0].detach().cpu()
    return replace(before, delta=delta, grown=is_grown(result))


def outcome_fields(after: Scene, result: AttackResult, state: State) -> dict[str, Any]:
    """Return the fields that put the outcome of an attack on the canvas, with their new values.

    Of a sticker attack only the content is taken: a sticker that was moved meanwhile stays where it is.
    """
    fields: dict[str, Any] = {"delta": after.delta, "grown": after.grown}  # a sticker attack began without a perturbation
    if "stickers" in result.operation.uses:
        fields["stickers"] = with_contents(state.stickers, {sticker.id: sticker for sticker in after.stickers})
    return fields


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
        """The scene that was attacked."""
        start: Start = self.outcome.job.context
        return start.before

    @property
    def job(self) -> Job:
        """The attack's job, which holds its progress."""
        return self.outcome.job

    @property
    def status(self) -> str:
        """One of finished, cancelled, budget and failed."""
        return self.outcome.status

    @property
    def sentence(self) -> str:
        """The error's sentence; empty if there was no error."""
        return "" if self.outcome.failure is None else self.outcome.failure.sentence

    @property
    def notice(self) -> str:
        """The sentence for the status bar after a failure."""
        return f"{self.attack.title} failed: the Attack dock and the messages say why."
