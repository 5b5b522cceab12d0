"""Differences of two sets of facts in words, for work that is continued only where everything is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_NAMED = 5
"""Differences that a sentence names; the rest are counted."""
_SHOWN = 80
"""Letters of a value that a sentence shows."""
_MISSING = object()


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one with dotted names; values are as JSON reads them, so that tuples and lists are the same."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = json.loads(json.dumps(value))
    return found


def differing(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Return a phrase for each difference: ``eps is 0.1 there and 0.3 here``; empty where there is none.

    A fact may stand in two places, such as a parameter that is also part of a schedule: it counts once, by the last part of its name.
    """
    there, here = flat(theirs), flat(ours)
    found: dict[str, str] = {}
    for name in sorted({*there, *here}):
        one, other = there.get(name, _MISSING), here.get(name, _MISSING)
        title = name.rpartition(".")[2]
        if title not in found and repr(one) != repr(other):
            found[title] = f"{title.replace('_', ' ')} is {_word(one)} there and {_word(other)} here"
    return list(found.values())


def difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Name the differences in one phrase; empty where there is none."""
    return joined(differing(theirs, ours))


def joined(phrases: list[str]) -> str:
    """Join phrases by semicolons; of many the first are named, and the rest are counted."""
    rest = len(phrases) - _NAMED
    return "; ".join(phrases[:_NAMED]) + (f"; and {rest} more" if rest > 0 else "")


def _word(value: Any) -> str:
    """Return a value as a person writes it. A long one is cut and ends in “…”."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return f"“{_cut(value)}”" if value else "empty"
        case list():
            return _cut(", ".join(map(_word, value))) or "empty"
    return "missing" if value is _MISSING else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
