"""Bounds of activations: which sites a drag of the line clamps, and the effect in words. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.text.formatting import MOST_DECIMALS, short
from engine.text.formatting import format_probability as percent

if TYPE_CHECKING:
    from torch import Tensor

    from engine.explain import Observation


def with_bound(bounds: Mapping[str, float], sites: Sequence[str], site: str, value: float | None, everywhere: bool) -> dict[str, float]:
    """Return ``bounds`` with ``value`` at ``site``, or at all ``sites`` if ``everywhere``; a ``value`` of None lifts the bound."""
    if everywhere:
        return {} if value is None else dict.fromkeys(sites, value)
    others = {name: bound for name, bound in bounds.items() if name != site}
    return others if value is None else {**others, site: value}


def decimals(upper: float) -> int:
    """Return the digits after the decimal point that resolve a hundredth of an axis from 0 to ``upper``."""
    return min(MOST_DECIMALS, max(0, 2 - math.floor(math.log10(upper)))) if upper > 0 else 2


def bound_text(bounds: Mapping[str, float], sites: Sequence[str]) -> str:
    """Describe the bounds and their layers, such as “Bound 2 in all layers”."""
    values = set(bounds.values())
    if len(values) > 1:
        return f"Bounds in {len(bounds)} of {len(sites)} layers"
    place = "all layers" if len(bounds) == len(sites) > 1 else next(iter(bounds)) if len(bounds) == 1 else f"{len(bounds)} layers"
    return f"Bound {short(next(iter(values)))} in {place}"


def effect_text(seen: Observation, labels: Sequence[str], sites: Sequence[str]) -> str:
    """Describe how the bound changes the probabilities of both images, or why that is not known; empty without a bound."""
    if "bounds" in seen.failures:
        return seen.failures["bounds"]
    bounded = seen.bounded
    if bounded is None:
        return ""
    sentence = f"{bound_text(bounded.bounds, sites)}: clean {_change(seen.clean, bounded.clean, labels)}"
    if seen.norms["linf"] > 0:
        sentence += f", adversarial {_change(seen.adversarial, bounded.adversarial, labels)}"
    return sentence


def _change(before: Tensor, after: Tensor, labels: Sequence[str]) -> str:
    """Describe a change of the top probability, such as “Stop 99.9 % → 99.2 %”, with both names if the prediction changes."""
    old, new = int(before.argmax()), int(after.argmax())
    name = "" if new == old else f"{labels[new]} "
    return f"{labels[old]} {percent(float(before[old]))} → {name}{percent(float(after[new]))}"
