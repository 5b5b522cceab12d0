"""Recipes as text and as data: ``gaussian sigma=0.3 + label-smoothing`` becomes a tuple of objectives, and back."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from engine.defenses.objectives.catalogue import CATALOGUE
from engine.defenses.objectives.objective import Objective
from engine.errors import GibbonError
from engine.text.parsing import named


def read(recipe: object) -> tuple[Objective, ...]:
    """Return the objectives of a recipe: a text, an objective, or a sequence of objectives, texts and mappings with their slugs.

    Raises
    ------
    GibbonError
        A part is unknown, stands twice, or has a parameter out of its range.
    """
    parts = tuple(_parts(recipe))
    slugs = [part.slug for part in parts]
    twice = next((slug for place, slug in enumerate(slugs) if slug in slugs[:place]), None)
    if twice:
        raise GibbonError(f"“{twice}” stands twice in the recipe. Name each part once.")
    return tuple(part for part in parts if part.slug != "standard")


def words(recipe: Iterable[Objective]) -> str:
    """Return the text that `read` reads back: ``gaussian sigma=0.25 + label-smoothing``; “standard” where there are none."""
    return " + ".join(part.words for part in recipe) or "standard"


def _parts(recipe: object) -> Iterable[Objective]:
    if isinstance(recipe, Objective):
        yield recipe
    elif isinstance(recipe, str):
        for text in filter(None, (each.strip() for each in recipe.split("+"))):
            yield _of_text(text)
    elif isinstance(recipe, Mapping):
        yield _of_mapping(recipe)
    elif isinstance(recipe, list | tuple):
        for part in recipe:
            yield from _parts(part)
    else:
        raise GibbonError(f"{named(recipe)} is no recipe. Write it as “gaussian sigma=0.3 + label-smoothing”.")


def _of_text(text: str) -> Objective:
    slug, *given = text.split()
    values = {}
    for word in given:
        name, separator, value = word.partition("=")
        if not separator:
            raise GibbonError(f"“{word}” in the recipe is no name=value, such as eps=0.3.")
        values[name.replace("-", "_")] = None if value.lower() == "none" else value
    return _of_mapping({"objective": slug, **values})


def _of_mapping(values: Mapping[Any, Any]) -> Objective:
    slug = str(values.get("objective", ""))
    if slug not in CATALOGUE:
        close = difflib.get_close_matches(slug, CATALOGUE, 1, 0.5)
        cure = f"Did you mean “{close[0]}”?" if close else f"There are: {', '.join(CATALOGUE)}."
        raise GibbonError(f"There is no training objective “{slug}”. {cure}")
    return CATALOGUE[slug].build(**{str(name): value for name, value in values.items() if name != "objective"})
