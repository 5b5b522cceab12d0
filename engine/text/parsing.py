"""Parsing of numbers as people write them: ``8/255`` and ``5 %`` are numbers."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from engine.errors import GibbonError

_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(_PLAIN)
_RATIO = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*/\s*([0-9]+(?:\.[0-9]+)?)")
_WHOLE = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:\u202f[0-9]{3})+)")
_MOST_DIGITS = 40
_QUOTED = 40
"""Letters of a text that an error message quotes."""
AS_NUMBER = "Write it as 0.03, 8/255 or 5 %."
AS_WHOLE = "Write it as 40 or 1,000."


def named(value: object) -> str:
    """Name ``value`` in an error message: ``1.5``, ``“eight”``, ``a list``."""
    match value:
        case bool():
            return "yes" if value else "no"
        case numbers.Integral() if abs(int(value)) >= 10**_MOST_DIGITS:
            return f"a number of more than {_MOST_DIGITS} digits"
        case numbers.Integral():
            return format(value)
        case numbers.Real():
            return f"{float(value):.6g}"
        case None:
            return "nothing"
        case str():
            text = " ".join(value.split())
            if any(form.fullmatch(text) for form in (_NUMBER, _RATIO)) and len(text) <= _QUOTED:
                return text
            return f"“{text if len(text) <= _QUOTED else f'{text[:_QUOTED]}…'}”"
        case list() | tuple() | set() | frozenset():
            return "a list"
        case Mapping():
            return "a mapping of names to values"
        case Path():
            return f"“{value}”"
    return f"an object of the type {type(value).__name__}"


def parse_number(value: object) -> float:
    """Parse a number, or a text such as ``"8/255"``, ``"0.03"``, ``"5 %"``.

    Raises
    ------
    GibbonError
        ``value`` is no number, divides by zero, or is infinite. Decimal commas are refused, since 1,5 and 1,500 look alike.
    """
    if _is_empty(value):
        raise GibbonError(f"it is empty. {AS_NUMBER}")
    try:
        number = _number(value)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise GibbonError(f"{named(value)} is not a number. {AS_NUMBER}") from None
    if not math.isfinite(number):
        raise GibbonError(f"{named(value)} is not a finite number. {AS_NUMBER}")
    return number


def _number(value: object) -> float:
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError
        return float(value)
    text = value.strip()
    if ratio := _RATIO.fullmatch(text):
        return float(ratio[1]) / float(ratio[2])
    bare = text.removesuffix("%").strip()
    if _NUMBER.fullmatch(bare) is None and bare.lower().lstrip("+-") not in ("inf", "infinity", "nan"):
        raise ValueError
    return float(bare) / 100 if text.endswith("%") else float(bare)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def parse_whole(value: object) -> int:
    """Parse a whole number: a number without a fraction, or a text such as ``"40"``, ``"1,000"``.

    Raises
    ------
    GibbonError
        ``value`` is no whole number. Commas are read before groups of three digits only, so that 1,5 and 40,0 are refused.
    """
    if _is_empty(value):
        raise GibbonError(f"it is empty. {AS_WHOLE}")
    if isinstance(value, str):
        text = value.strip()
        if _WHOLE.fullmatch(text) and len(text) <= _MOST_DIGITS:
            return int(text.replace(",", "").replace("\u202f", ""))
    elif isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    elif isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value).is_integer():
        return int(float(value))
    raise GibbonError(f"{named(value)} is no whole number. {AS_WHOLE}")


Number = Annotated[float, BeforeValidator(parse_number)]
"""A float field that also parses ``8/255``."""
