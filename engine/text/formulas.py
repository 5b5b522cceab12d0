"""Formulas of docstrings in the signs of the field: ``||eta||_inf <= eps`` becomes ‖η‖∞ ≤ ε. It imports nothing heavy."""

from __future__ import annotations

import re

_CODE = re.compile(r"``(.+?)``")
_SIGNS = (
    (r"\beta\b", "η"),
    (r"\beps\b", "ε"),
    (r"\bdelta\b", "δ"),
    (r"\|\|(.+?)\|\|_inf\b", r"‖\1‖∞"),
    (r"\|\|(.+?)\|\|_([012])\b", lambda found: f"‖{found[1]}‖{'₀₁₂'[int(found[2])]}"),
    (r"\b(\w+) \. (\w+)", r"\1ᵀ\2"),
    (r"\bsqrt\((\w+)\)", r"√\1"),
    (r" \* ", "·"),
    (r"<=", "≤"),
    (r">=", "≥"),
    (r"<-", "←"),
)


def in_signs(text: str) -> str:
    """Return a docstring's text with the formulas in double backticks written in signs, without the backticks."""
    return _CODE.sub(lambda found: _signs(found[1]), text)


def _signs(formula: str) -> str:
    for pattern, sign in _SIGNS:
        formula = re.sub(pattern, sign, formula)
    return formula
