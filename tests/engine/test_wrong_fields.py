"""A refusal that compares several parameters names the one to be changed, so that a form can mark it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.attacks import CATALOGUE
from engine.errors import BadParameters


@pytest.mark.parametrize(
    ("slug", "values", "field"),
    [
        *((slug, {"eps": 300 / 255}, "eps") for slug in ("fgsm", "pgd", "mi-fgsm", "apgd", "noise", "universal", "square", "substitute")),
        ("pgd", {"step_size": 2}, "step_size"),
        ("pgd", {"restarts": 3, "random_start": False}, "restarts"),
        ("rand-fgsm", {"alpha": 0.1, "eps": 0.05}, "alpha"),
        ("substitute", {"lambda_": 0}, "lambda_"),
        ("proximity", {"curve": 3, "weight": 0}, "weight"),
        ("square", {"proposals": 50, "n_queries": 10}, "proposals"),
    ],
)
def test_the_field_is_named(slug: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(BadParameters) as caught:
        CATALOGUE[slug].build(**values)
    assert list(caught.value.problems) == [field]
    sentence = caught.value.problems[field]
    assert sentence.endswith(".")
    assert "1.17647/255" not in sentence  # nobody means that
    assert str(caught.value) == f"{field}: {sentence}"
