"""Budgets of attacks: customary radii in each norm, checks against mistaken units, and the ball of the radius."""

from __future__ import annotations

from abc import ABC
from typing import Self, TypeVar

from pydantic import model_validator
from torch import Tensor

from engine.balls import BALLS, Ball, Norm
from engine.errors import WrongField
from engine.operation import Attack, Problem
from engine.text.formatting import in_grey_levels
from engine.text.parsing import Number

Op = TypeVar("Op", bound=Attack)
Eps = TypeVar("Eps", float, float | None)
_USUAL_EPS: dict[Norm, float] = {"linf": 8 / 255, "l2": 0.5, "l1": 12.0}
"""Customary radii for small colour images; 8/255 in l2 would have no visible or measurable effect."""


def usual_eps(*norms: Norm) -> dict[str, dict[Norm, float]]:
    """Return the customary radius of each of these norms, for the field ``eps`` of an attack with a field ``norm``."""
    return {"norm": {norm: _USUAL_EPS[norm] for norm in norms}}


def check_lengths(attack: Op, norm: Norm) -> Op:
    """Refuse a radius or a step whose unit must be mistaken: more than the whole range in linf.

    Raises
    ------
    WrongField
        The length exceeds the range; pydantic turns this into its own error.
    """
    for name in ("eps", "step_size"):
        length = getattr(attack, name, None)
        if norm == "linf" and length is not None and length > 1:
            raise WrongField(name, f"{length:g} is more than the whole range [0, 1]. {in_grey_levels(length)}")
    return attack


def radius(eps: Eps, problem: Problem) -> Eps | Tensor:
    """Return the radius of every row: the problem's ``radii`` ``(N,)`` where it has them, else ``eps``."""
    return eps if problem.radii is None else problem.radii


class InBall(Attack, ABC):
    """An attack whose perturbation stays in a ball. Each subclass declares its norms and the customary radii."""

    norm: Norm
    """The norm that defines the ball."""
    eps: Number
    """Radius of the ball in pixel units."""

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        return check_lengths(self, self.norm)

    def ball(self) -> Ball:
        """Return the ball of radius ``eps``."""
        return BALLS[self.norm](self.eps)

    def ball_of(self, problem: Problem) -> Ball:
        """Return the ball of every row: of radius ``eps``, or of the problem's ``radii``."""
        return BALLS[self.norm](radius(self.eps, problem))
