"""Formulas of docstrings in the signs of the field, for people."""

from __future__ import annotations

import re

import pytest

from engine.reproduce import CATALOGUE
from engine.text.formulas import in_signs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("``w . eta = eps * m * n`` for ``eta = eps * sign(w)``.", "wᵀη = ε·m·n for η = ε·sign(w)."),
        ("``||eta||_inf <= eps`` and ``eps * ||w||_2``", "‖η‖∞ ≤ ε and ε·‖w‖₂"),
        ("``sqrt(n)``, ``x <- x - a``", "√n, x ← x - a"),
        ("Words about eps and eta stay; so does ``predict``.", "Words about eps and eta stay; so does predict."),
        ("``theta`` and ``steps`` hold no eta, and ``|w|`` stays", "theta and steps hold no eta, and |w| stays"),
    ],
)
def test_formulas_are_written_in_signs(text: str, shown: str) -> None:
    assert in_signs(text) == shown


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))
def test_no_experiment_shows_raw_notation(kind: type) -> None:
    shown = in_signs(" ".join((kind.__doc__ or "").split()))
    assert not re.search(r"\|\||_inf|``|\bsqrt\(| \* ", shown), shown
