"""The question whether the attack on the canvas survives the defense, answered in words. Pure functions. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.text.formatting import format_probability as percent
from gui.session.defense import defense_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from engine.explain import Observation
    from gui.session.history import AttackRun
    from gui.session.state import State

_ONLY_BEHIND = "The attack succeeds behind the defense only: {behind} there, {without} without it."


@dataclass(frozen=True)
class Goal:
    """The classes that an image is judged by."""

    label: int
    target: int | None = None

    def reached(self, prediction: int) -> bool:
        """Return whether a prediction is a success of the attacker."""
        return prediction != self.label if self.target is None else prediction == self.target


def goal_of(state: State, shown: AttackRun | None, seen: Observation) -> Goal:
    """Return the classes by which the canvas is judged: those of the finished run on it, else those that are set."""
    if shown is not None:
        targets = shown.result.targets
        return Goal(int(shown.result.labels[0]), None if targets is None else int(targets[0]))
    return Goal(seen.clean_prediction if state.label is None else state.label, state.target)


def survival(seen: Observation, labels: Sequence[str], goal: Goal) -> tuple[str, bool | None]:
    """Return the answer as a sentence, and whether the attacker succeeds behind the defense; None where there is no answer."""
    defended = seen.defended
    if defended is None:
        return seen.failures.get("defense", ""), None
    clean, adversarial = _read(defended.clean, labels), _read(defended.adversarial, labels)
    if goal.reached(defended.clean_prediction):
        return f"Behind the defense the clean image is {clean} already, so there is nothing for an attack to do.", None
    if seen.norms["linf"] == 0:
        return f"Nothing is changed on the canvas yet. Behind the defense the clean image is {clean}.", None
    without, behind = goal.reached(seen.adversarial_prediction), goal.reached(defended.adversarial_prediction)
    if without and behind:
        return f"The attack survives the defense: {adversarial}.", True
    if without:
        return f"The attack does not survive the defense: {adversarial}.", False
    if behind:
        return _ONLY_BEHIND.format(behind=adversarial, without=_read(seen.adversarial, labels)), True
    return f"The attack fails behind the defense and without it: {adversarial}.", False


def longest_answer(labels: Sequence[str]) -> str:
    """Return the longest answer that `survival` can give with a model's classes, so that room is kept for it."""
    longest = _read_as(max(labels, key=len, default=""), "> 99.9 %")
    return _ONLY_BEHIND.format(behind=longest, without=longest)


def attacker_words(state: State, shown: AttackRun | None) -> str:
    """Return against whom the image on the canvas was made; empty where no finished run made it."""
    if shown is None:
        return ""
    known = shown.inputs.defense
    if not known:
        return "Its attacker did not know the defense."
    return "Its attacker knew this defense." if known == state.defense else f"Its attacker knew another defense: {defense_words(known)}."


def behind_words(seen: Observation, labels: Sequence[str]) -> str:
    """Return the predictions for both images behind the defense, or why there are none; empty without a defense."""
    defended = seen.defended
    if defended is None:
        return seen.failures.get("defense", "")
    what = " + ".join(getattr(step, "words", repr(step)) for step in defended.steps)
    return f"□ Defended: clean {_named(defended.clean, labels)}, adversarial {_named(defended.adversarial, labels)}, behind {what}"


def _read(probabilities: Tensor, labels: Sequence[str]) -> str:
    best = int(probabilities.argmax())
    return _read_as(labels[best], percent(float(probabilities[best])))


def _read_as(label: str, probability: str) -> str:
    return f"read as “{label}” {probability}"


def _named(probabilities: Tensor, labels: Sequence[str]) -> str:
    best = int(probabilities.argmax())
    return f"{labels[best]} {percent(float(probabilities[best]))}"
