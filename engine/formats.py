"""Formatting of numbers for people: shares as percent, counts with separators, yes and no. It imports nothing else of the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def format_probability(p: float) -> str:
    """Format a probability as a percentage of one decimal; never 100 % or 0 % when it is not."""
    if 0.9995 <= p < 1:
        return "> 99.9 %"
    if 0 < p < 0.0005:
        return "< 0.1 %"
    return f"{100 * p:.1f} %"


def short(value: float) -> str:
    """Format with three significant digits, and all digits before the point: 26712, not 2.67e+04."""
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e+" in text else text


def counted(number: int, one: str, many: str | None = None) -> str:
    """Format a count with its noun: ``1 step``, ``1,200 steps``; ``many`` is for irregular plurals."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def format_reading(value: float, unit: str = "") -> str:
    """Format a number by its unit: a share as percent, a whole number with separators, others with three digits."""
    if unit == "share":
        return format_probability(value)
    return f"{value:,.0f}" if value == round(value) else short(value)


def cells_of(values: Sequence[Any], unit: str = "") -> list[str]:
    """Format a column: shares as percent, other floats with a common number of decimals, three significant digits in the largest."""
    floats = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    if not floats:
        return [_text(value) for value in values]
    most = max(abs(value) for value in floats)
    if unit == "share":
        return [f"{100 * value:.1f} %" if isinstance(value, float) and math.isfinite(value) else _text(value) for value in values]
    decimals = min(6, max(0, 2 - math.floor(math.log10(most)))) if most > 0 else 0
    return [_signed(f"{value:,.{decimals}f}") if isinstance(value, float) and math.isfinite(value) else _text(value) for value in values]


def _signed(text: str) -> str:
    """Format with the minus sign of the plots; a zero has no sign."""
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _signed(f"{value:,}")
    return "–" if value is None or (isinstance(value, float) and not math.isfinite(value)) else str(value)
