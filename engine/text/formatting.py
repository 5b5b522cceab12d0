"""Formatting of numbers for people: shares as percent, norms with three digits, counts with separators. It imports nothing heavy."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

MOST_DECIMALS = 6
"""The decimals that a number has at the most, wherever it is shown; smaller ones are written in powers of ten."""

_ZEROS = 3
"""The decimals that a zero has at the most."""


def format_probability(p: float) -> str:
    """Format a model's probability as a percentage of one decimal.

    A softmax is never certain: a 1 or a 0 is one that floating point rounded, and reads as its neighbours do, > 99.9 % and < 0.1 %.
    """
    return "> 99.9 %" if p >= 1 else "< 0.1 %" if p <= 0 else format_share(p)


def format_share(share: float) -> str:
    """Format the share of what was counted as a percentage of one decimal; 100 % and 0 % stand for all and none alone."""
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def short(value: float) -> str:
    """Format with three significant digits, and all digits before the point: 26712, not 2.67e+04."""
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e+" in text else text


def counted(number: int, one: str, many: str | None = None) -> str:
    """Format a count with its noun: ``1 step``, ``1,200 steps``; ``many`` is for irregular plurals."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """Return a duration in words, such as ``0.8 s``, ``42 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def run_title(number: int, title: str, iterate_of: int | None = None) -> str:
    """Return a finished run's number and title; of an iterate also the number of its run: ``#5 PGD, iteration 12 of 40, from #3``."""
    source = "" if iterate_of in (None, number) else f", from #{iterate_of}"
    return f"#{number} {title}{source}"


def named_norms(text: str) -> str:
    """Write the norms in a sentence as the field does: ``linf`` becomes L∞, ``l2`` L2. Names in code, such as ``l2_norm``, stay."""
    return re.sub(r"\bl([012])\b", r"L\1", re.sub(r"\b[Ll]_?inf\b", "L∞", text))


def without_markup(text: str) -> str:
    """Write a docstring as people read it: code stands in quotation marks, and a name without its backticks."""
    return re.sub(r"`([^`]+)`", r"\1", re.sub(r"``([^`]+)``", r"“\1”", text))


def format_reading(value: float, unit: str = "") -> str:
    """Format a number by its unit: a share as percent, a whole number with separators, others with three digits."""
    if unit == "share":
        return format_share(value)
    return f"{value:,.0f}" if value == round(value) else short(value)


def cells_of(values: Sequence[Any], unit: str = "") -> list[str]:
    """Format a column: shares as percent, other floats with a common number of decimals, three significant digits in the largest.

    A column of numbers that are all too small for that is written in powers of ten, with ``0`` for a zero.
    """
    floats = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    if not floats:
        return [_text(value) for value in values]
    most = max(abs(value) for value in floats)
    if unit == "share":
        return [f"{100 * value:.1f} %" if isinstance(value, float) and math.isfinite(value) else _text(value) for value in values]
    places = decimals_of(most)
    return [with_decimals(value, places) if isinstance(value, float) and math.isfinite(value) else _text(value) for value in values]


def decimals_of(most: float, least: int = 0) -> int | None:
    """Return the decimals that give a number ``most`` three significant digits, at least ``least``.

    None stands for powers of ten, where that would take more than six.
    """
    if most <= 0:
        return least
    places = 2 - math.floor(math.log10(most))
    return None if places > MOST_DECIMALS else max(least, places)


def with_decimals(value: float, places: int | None) -> str:
    """Format a number with the decimals that `decimals_of` gives for its column; a zero among tiny numbers is ``0``."""
    if value == 0 and (places is None or places > _ZEROS):
        return "0"
    return with_minus(f"{value:.2e}" if places is None else f"{value:,.{places}f}")


def pixel_words(value: float) -> str:
    """Return a place or length in pixels with at most one decimal, such as ``−3`` or ``12.5``."""
    return with_minus(f"{round(value, 1):g}" if abs(value) < 100_000 else f"{value:.0f}")


def with_minus(text: str) -> str:
    """Write the sign of a formatted number as the minus sign of the plots; a zero has no sign."""
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return with_minus(f"{value:,}")
    return "–" if value is None or (isinstance(value, float) and not math.isfinite(value)) else str(value)


def format_number(value: float) -> str:
    """Format ``value`` as short as it can be parsed back: ``8/255`` or ``12.5/255`` where it is one (up to 32/255), else five digits.

    Grey levels may have halves and quarters, which sliders and arrow keys give, and those up to 4 thirds.
    """
    levels = value * 255
    part = Fraction(levels).limit_denominator(4)
    plain = math.isclose(float(f"{value:.2g}"), value, rel_tol=1e-9) or part.denominator == 3  # 0.05 is better read than 12.75/255
    if 0 < part <= 32 and abs(levels - float(part)) < 1e-6 and (part <= 4 or part.denominator == 1 or not plain):
        return f"{float(part):g}/255"
    return f"{value:.5g}"


def format_norm(value: float) -> str:
    """Format a norm with three significant digits, never as a power of ten: 1230, 0.0314, 0.000012."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    text = f"{round(value, digits):.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_linf(value: float) -> str:
    """Format a largest change of a pixel: ``8/255`` where it is one (a difference of float32 misses it a little), else three digits."""
    whole = round(255 * value) if math.isfinite(value) else 0
    return f"{whole}/255" if whole and abs(255 * value - whole) < 1e-3 else format_norm(value)


def in_grey_levels(eps: float) -> str:
    """Suggest, as a sentence, the value to write for an ``eps`` or another length that was given in grey levels of 0 to 255."""
    levels = 255 * eps
    if eps != round(eps) and math.isclose(levels, round(levels), rel_tol=1e-9):  # it was written in grey levels, but beyond the last
        return f"That is {round(levels)}/255, and grey levels end at 255: write 8/255, say."
    if eps < 255:
        return f"In grey levels write {eps:g}/255."
    return "In grey levels 255 is the whole range already: write 8/255, say."
