"""Translation of pydantic's validation errors into sentences of this project, all in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from engine.errors import BadParameters, WrongField
from engine.text.formatting import counted, short
from engine.text.nearest import did_you_mean, nearest
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
    "too_short": lambda got, facts: f"{_length(facts)}, but the least is {counted(facts['min_length'], 'entry', 'entries')}.",
    "too_long": lambda got, facts: f"{_length(facts)}, but the most is {counted(facts['max_length'], 'entry', 'entries')}.",
    "string_too_short": lambda got, facts: f"the text is too short. The least is {counted(facts['min_length'], 'letter')}.",
    "string_too_long": lambda got, facts: f"the text is too long. The most is {counted(facts['max_length'], 'letter')}.",
    "extra_forbidden": lambda got, facts: "it is not known here.",
    "finite_number": lambda got, facts: f"{got} is not a finite number. {AS_NUMBER}",
}
_FAMILIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("int",), f"is no whole number. {AS_WHOLE}"),
    (("float", "decimal"), f"is not a number. {AS_NUMBER}"),
    (("bool",), "is neither yes nor no."),
    (("string", "bytes"), "is no text."),
    (("path",), "is no path of a file."),
    (("list", "tuple", "set", "frozen_set", "iterable"), "is no list."),
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
            cure = did_you_mean(name, known, f"It has: {', '.join(known)}.", 0.5)
            name, text = "", f"{title} has no parameter “{name}”. {cure}"
        else:
            text = reason(item)
        problems[name] = f"{problems[name]} {text}" if name in problems else text
    return BadParameters(problems)


def place_and_reason(error: ValidationError, kind: type[BaseModel] | None = None) -> str:
    """Phrase the first error with its place in front: ``seed: 1.5 is no whole number``.

    A name that is not known comes first, since it may be the misspelt name of one that is missing. With the ``kind`` that was validated
    its nearest name is suggested, or all of its names are listed.
    """
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"])
    known = names_at(kind, first["loc"][:-1]) if kind is not None and first["type"] == "extra_forbidden" else ()
    cure = did_you_mean(str(first["loc"][-1]), known, f"There are: {', '.join(known)}.", 0.5) if known else ""
    said = f"{reason(first)} {cure}".strip()
    return f"{place}: {said}" if place else said


def names_at(kind: type[BaseModel], place: Sequence[str | int]) -> tuple[str, ...]:
    """Return the names of the fields that a place inside a model has, such as ``("data", 0)``; empty: no one model stands there."""
    for part in place:
        if isinstance(part, int):
            continue  # the entries of a list are of one type
        field = kind.model_fields.get(part)
        inner = [] if field is None else list(_models_in(field.annotation))
        if len(inner) != 1:
            return ()
        kind = inner[0]
    return tuple(kind.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _length(facts: Facts) -> str:
    count = facts["actual_length"]
    return "the list is empty" if count == 0 else f"the list has {counted(count, 'entry', 'entries')}" if count else "the list is longer"


def _choices(given: object, expected: str) -> str:
    """Rephrase ``expected``, which pydantic writes as ``'linf', 'l2' or 'l1'``."""
    known = ["".join(found) for found in _QUOTED_CHOICE.findall(expected)]
    close = nearest(str(given), known)
    cure = f" Did you mean {close}?" if close else ""
    return f"{_quoted(given)} is none of {', '.join(known)}.{cure}"


def _quoted(given: object) -> str:
    text = named(given)
    return f"“{text}”" if isinstance(given, str) and not text.startswith("“") else text


def _limit(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else short(value)
