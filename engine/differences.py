"""Differences of two sets of facts by name, for work that is continued only where everything is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested mappings as one with dotted names; values are JSON, so that tuples and lists are the same."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = json.dumps(value)
    return found


def difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Name the first difference in words: ``eps is 0.1 there and 0.3 here, and 2 more``; empty where there is none."""
    there, here = flat(theirs), flat(ours)
    differing = [name for name in sorted({*there, *here}) if there.get(name) != here.get(name)]
    if not differing:
        return ""
    name = differing[0]
    title = name.rpartition(".")[2]
    # One fact may stand in two places, such as a parameter that is also part of the schedule: it counts once.
    others = {each.rpartition(".")[2] for each in differing} - {title}
    rest = f", and {len(others)} more" if others else ""
    return f"{title.replace('_', ' ')} is {there.get(name, 'missing'):.80} there and {here.get(name, 'missing'):.80} here{rest}"
