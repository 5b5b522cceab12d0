"""Looks: a pair of images under a distortion, with the predictions, computed in an engine thread; and the attack's fate in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gui.session.scene import to_pixels

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine.evaluate.distortion import Distortion
    from gui.session.scene import Frame
    from gui.session.survival import Goal

Fate = Literal["alive", "undone", "both"]
"""The attack succeeds on the distorted image; it does not; or the distorted clean image is a success, too, without any attack."""


@dataclass(frozen=True, eq=False)
class Look:
    """A clean and an adversarial image under one distortion at one strength."""

    kind: Distortion
    strength: float
    clean_pixels: np.ndarray
    """``(H, W, 3)`` uint8."""
    adversarial_pixels: np.ndarray
    clean: Tensor
    """Probabilities of the distorted clean image, ``(K,)``."""
    adversarial: Tensor

    @property
    def clean_prediction(self) -> int:
        """The class that is predicted for the distorted clean image."""
        return int(self.clean.argmax())

    @property
    def adversarial_prediction(self) -> int:
        """The class that is predicted for the distorted adversarial image."""
        return int(self.adversarial.argmax())

    @property
    def shown(self) -> str:
        """The strength with its unit."""
        return self.kind.shown(self.strength)


@dataclass(frozen=True, eq=False)
class Answer:
    """Looks at the images of a frame."""

    frame: Frame
    kind: Distortion
    looks: tuple[Look, ...]


def look(frame: Frame, kind: Distortion, strengths: Sequence[float]) -> Answer:
    """Look at the images of a frame at some strengths. Called in an engine thread."""
    return Answer(frame, kind, tuple(_look(frame, kind, strength) for strength in strengths))


def _look(frame: Frame, kind: Distortion, strength: float) -> Look:
    from engine.evaluate.distortion import moment

    seen = frame.observation
    made = moment(frame.scene.classifier, seen.clean_image, seen.adversarial_image, kind.slug, strength)
    clean, adversarial = (logits.softmax(0).cpu() for logits in (made.clean_logits, made.adversarial_logits))
    return Look(kind, strength, to_pixels(made.clean), to_pixels(made.adversarial), clean, adversarial)


def fate(goal: Goal, each: Look) -> Fate:
    """Return what became of the attack under a distortion."""
    if not goal.reached(each.adversarial_prediction):
        return "undone"
    return "both" if goal.reached(each.clean_prediction) else "alive"


def death(goal: Goal, looks: Sequence[Look]) -> int | None:
    """Return the index of the first strength at which the attack is undone; None: it survives all of them."""
    return next((place for place, each in enumerate(looks) if fate(goal, each) == "undone"), None)


def story(goal: Goal, looks: Sequence[Look]) -> str:
    """Say at which strength the attack dies, and whether it succeeds again at a greater one."""
    end = death(goal, looks)
    if end is None:
        return f"The attack survives up to {looks[-1].shown}, the strongest that is tried." + _no_attack(goal, looks)
    if end == 0:
        said = f"The attack is dead at {looks[0].shown}, the weakest that is tried."
    else:
        said = f"The attack dies between {looks[end - 1].shown} and {looks[end].shown}."
    again = next((each for each in looks[end:] if fate(goal, each) == "alive"), None)
    return said + ("" if again is None else f" It succeeds again at {again.shown}.") + _no_attack(goal, looks)


def _no_attack(goal: Goal, looks: Sequence[Look]) -> str:
    """Say from where on the clean image is misread, too."""
    first = next((each for each in looks if goal.reached(each.clean_prediction)), None)
    return "" if first is None else f" At {first.shown} the clean image is misread, too."
