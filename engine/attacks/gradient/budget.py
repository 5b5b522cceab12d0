"""The radius that an attack may use: what is usual in each norm, and what can only be a mistake of unit."""

from __future__ import annotations

from typing import TypeVar

from pydantic import JsonValue

from engine.balls import Norm
from engine.operation import Attack
from engine.quantities import in_grey_levels

Op = TypeVar("Op", bound=Attack)
_USUAL_EPS: dict[Norm, float] = {"linf": 8 / 255, "l2": 0.5, "l1": 12.0}
"""Radii that small colour images are usually attacked with: 8/255 in l2 would move nothing that can be seen or measured."""


def usual_eps(*norms: Norm) -> dict[str, JsonValue]:
    """The usual radius of each of these norms, for the field ``eps`` of an attack that has a field ``norm``."""
    return {"norm": {norm: _USUAL_EPS[norm] for norm in norms}}


def check_eps(attack: Op) -> Op:
    """Refuse a radius that can only be a mistake of unit: more than the whole range in linf.

    Raises
    ------
    ValueError
        It is; as validators raise it.
    """
    eps = getattr(attack, "eps", None)
    if getattr(attack, "norm", "") == "linf" and eps is not None and eps > 1:
        raise ValueError(f"eps = {eps:g} is more than the whole range [0, 1]. {in_grey_levels(eps)}")
    return attack
