"""Translation of pydantic's validation errors into sentences of this project, all in one place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from engine.errors import BadParameters, WrongField
from engine.text.formatting import short
from engine.text.parsing import AS_NUMBER, AS_WHOLE, named

Facts = Mapping[str, Any]
"""Facts of an error beside its type, such as the limit ``ge``."""
_QUOTED_CHOICE = re.compile(r"'([^']*)'|(?<![^ ])(-?\d+)(?![^ ,])")
_REASONS: dict[str, Callable[[str, Facts], str]] = {
    "greater_than_equal": lambda got, facts: f"{got} is too small. The least is {_limit(facts['ge'])}.",
    "greater_than": lambda got, facts: f"{got} is too small. It must be above {_limit(facts['gt'])}.",
    "less_than_equal": lambda got, facts: f"{got} is too large. The most is {_limit(facts['le'])}.",
    "less_than": lambda got, facts: f"{got} is too large. It must be below {_limit(facts['lt'])}.",
    "missing": lambda got, facts: "it is missing.",
    "extra_forbidden": lambda got, facts: "it is not known here.",
    "finite_number": lambda got, facts: f"{got} is not a finite number. {AS_NUMBER}",
}
_FAMILIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("int",), f"is no whole number. {AS_WHOLE}"),
    (("float", "decimal"), f"is not a number. {AS_NUMBER}"),
    (("bool",), "is neither yes nor no."),
    (("string", "bytes"), "is no text."),
    (("path",), "is no path of a file."),
    (("list", "tuple", "set", "frozen_set", "iterable", "too_long", "too_short"), "is no list of the right length."),
    (("dict", "mapping", "model", "dataclass"), "is no mapping of names to values."),
)
"""Prefixes of the error types that report a value of another type, with the sentence for each."""


def reason(item: Mapping[str, Any]) -> str:
    """Phrase one entry of a `ValidationError`'s ``errors()`` as a sentence, without the name of the field."""
    kind, got, facts = str(item["type"]), named(item["input"]), item.get("ctx", {})
    if kind == "value_error":
        text = str(facts.get("error", item["msg"]))
        return text if text.endswith((".", "!", "?")) else f"{text}."
    if kind == "literal_error":
        return _choices(item["input"], str(facts["expected"]))
    if kind in _REASONS:
        return _REASONS[kind](got, facts)
    said = next((said for begins, said in _FAMILIES if kind.startswith(begins)), "does not fit here.")
    return f"{got} {said}"


def bad_parameters(error: ValidationError, title: str, known: Sequence[str]) -> BadParameters:
    """Return the error for refused parameters of the operation ``title``; an unknown name gets the nearest of those ``known``."""
    problems: dict[str, str] = {}
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        name = cause.name if isinstance(cause, WrongField) else ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden" and name not in known:
            close = difflib.get_close_matches(name, known, 1, 0.5)
            cure = f"Did you mean {close[0]}?" if close else f"It has: {', '.join(known)}."
            name, text = "", f"{title} has no parameter “{name}”. {cure}"
        else:
            text = reason(item)
        problems[name] = f"{problems[name]} {text}" if name in problems else text
    return BadParameters(problems)


def place_and_reason(error: ValidationError) -> str:
    """Phrase the first error with its place in front: ``seed: 1.5 is no whole number``."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {reason(first)}" if place else reason(first)


def _choices(given: object, expected: str) -> str:
    """Rephrase ``expected``, which pydantic writes as ``'linf', 'l2' or 'l1'``."""
    known = ["".join(found) for found in _QUOTED_CHOICE.findall(expected)]
    close = difflib.get_close_matches(str(given), known, 1, 0.6)
    cure = f" Did you mean {close[0]}?" if close else ""
    return f"{_quoted(given)} is none of {', '.join(known)}.{cure}"


def _quoted(given: object) -> str:
    text = named(given)
    return f"“{text}”" if isinstance(given, str) and not text.startswith("“") else text


def _limit(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else short(value)
