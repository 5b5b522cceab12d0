"""Python literals of parameters, as people write them: ``8 / 255`` where a number is one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LEVELS = 255
_WIDTH = 100
"""Characters of a line, beyond which it is broken."""
_SHORT = 5
"""Characters of a decimal that is shorter than its fraction of 255."""


def literal(value: Any) -> str:
    """Return Python text that evaluates to ``value``: None, numbers, texts, paths (as texts), lists, tuples and mappings of these.

    Raises
    ------
    TypeError
        The value has no literal.
    """
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return _quoted(value) if isinstance(value, str) else repr(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Path):
        return _quoted(str(value))
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    raise TypeError(f"a {type(value).__name__} has no literal")


def call(name: str, /, *arguments: str, **named: str) -> str:
    """Return the call of a function with the texts of its arguments."""
    return f"{name}({', '.join([*arguments, *(f'{key}={text}' for key, text in named.items())])})"


def wrapped_call(name: str, /, **named: str) -> str:
    """Return the call of a function with named arguments, each in a line of its own if the call is long."""
    line = call(name, **named)
    if len(line) <= _WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {key}={text},\n" for key, text in named.items()) + ")"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return f'float("{value}")'
    grey_levels = round(value * _LEVELS)
    if grey_levels and grey_levels / _LEVELS == value and len(repr(value)) > _SHORT:
        return f"{grey_levels} / {_LEVELS}"
    return repr(value)


def _quoted(text: str) -> str:
    """Return a literal with double quotes, as the project writes them, unless the text holds one."""
    if len(text) > _WIDTH:  # adjacent literals are one text; the caller's brackets hold the lines together
        return "\n    ".join(_quoted(text[begin : begin + _WIDTH]) for begin in range(0, len(text), _WIDTH))
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain.startswith("'") and '"' not in text else plain
