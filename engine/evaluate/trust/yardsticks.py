"""Attacks that an attack is compared with: weaker, stronger, with other budgets, with another loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from engine.attacks import APGD, FGSM, MIFGSM, PGD, Noise, RandFGSM, Square
from engine.operation import Attack
from engine.parameters import parameters_of

_MANY = (PGD, MIFGSM, APGD)
"""Attacks in a ball with many steps, which serve as yardsticks themselves."""
_ONE = (FGSM, RandFGSM, Noise)
_STEPS = 40


def is_one_step(attack: Attack) -> bool:
    """Return whether the attack takes one step only, or none: by its kind, or since its parameters say so."""
    return isinstance(attack, _ONE) or (getattr(attack, "count", None) or getattr(attack, "steps", None)) == 1


def has_no_limit(attack: Attack, values: int) -> bool:
    """Return whether nothing bounds the attack's change of an image of ``values`` values, so that it has to succeed on every image.

    Its radius is that of the ball around any image that holds all others, or is None, or the attack looks for the nearest adversarial image
    at whatever distance. An attack on a few pixels or within a sticker has a limit, although it has no eps.
    """
    yardsticks = Yardsticks(attack, values)
    if yardsticks.has_radius:
        return yardsticks.eps >= yardsticks.largest
    return attack.keeps == "norm" or getattr(attack, "eps", 0.0) is None


@dataclass(frozen=True)
class Yardsticks:
    """The attacks beside one with a radius, of the same norm.

    Parameters
    ----------
    attack
        The attack whose number is questioned.
    values
        Number of values of an image, which says what no limit is in L2 and L1.
    """

    attack: Attack
    values: int

    @property
    def has_radius(self) -> bool:
        """Whether the attack has a ball in which the others can be compared with it."""
        return getattr(self.attack, "eps", None) is not None and self.norm in ("linf", "l2", "l1")

    @property
    def norm(self) -> str:
        """The norm of the attack's ball."""
        return str(getattr(self.attack, "norm", ""))

    @property
    def eps(self) -> float:
        """The radius of the attack's ball."""
        return float(self.attack.eps)  # type: ignore[attr-defined]

    @property
    def largest(self) -> float:
        """The radius of the ball around any image that holds all others."""
        return {"linf": 1.0, "l2": math.sqrt(self.values), "l1": float(self.values)}[self.norm]

    @property
    def radius(self) -> float:
        """Largest change of each value in a cube about as large as the ball; 8/255 where there is none."""
        return self.eps / self.largest if self.has_radius else 8 / 255

    @property
    def many_steps(self) -> Attack:
        """The attack itself, if it makes many steps by gradients; else PGD in its ball."""
        if isinstance(self.attack, _MANY) and not is_one_step(self.attack):
            return self.attack
        return PGD.build(norm=self.norm, eps=self.eps, steps=_STEPS)

    @property
    def one_step(self) -> Attack:
        """FGSM in the same ball, which takes one step of size eps."""
        return FGSM.build(norm=self.norm, eps=self.eps)

    def at(self, eps: float) -> Attack:
        """Return the many steps in a ball of radius ``eps``, at most the largest; the step size grows with it."""
        size = getattr(self.many_steps, "step_size", None)
        eps = min(eps, self.largest)
        return _with(self.many_steps, eps=eps, **({} if size is None else {"step_size": min(size * eps / self.eps, self.largest)}))

    @property
    def more(self) -> dict[str, Attack]:
        """Twice the steps, and five restarts where the attack has random ones."""
        attack = self.many_steps
        found = {"twice the steps": _with(attack, steps=2 * _steps(attack))}
        if isinstance(attack, APGD) or (isinstance(attack, PGD) and attack.random_start):
            found["five restarts"] = _with(attack, restarts=5 * attack.restarts)
        return found

    @property
    def other_loss(self) -> tuple[Attack, Attack]:
        """The many steps with cross-entropy and with margin; PGD where the attack has no such choice."""
        attack = self.many_steps
        if "margin" not in parameters_of(type(attack))["loss"].choices:
            attack = PGD.build(norm=self.norm, eps=self.eps, steps=max(_STEPS, _steps(attack)))
        ce = "stable-ce" if getattr(attack, "loss", "") == "stable-ce" else "ce"
        return _with(attack, loss=ce), _with(attack, loss="margin")

    def search(self, queries: int) -> Attack | None:
        """Return Square in the same ball; None in a norm that it does not know."""
        return Square.build(norm=self.norm, eps=self.eps, n_queries=queries) if self.norm in ("linf", "l2") else None


def _steps(attack: Attack) -> int:
    return int(getattr(attack, "count", None) or attack.steps)  # type: ignore[attr-defined]


def _with(attack: Attack, **changes: Any) -> Attack:
    return type(attack).build(**{**attack.model_dump(), **changes})
