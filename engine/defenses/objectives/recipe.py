"""Recipes of training as text and as data: ``gaussian sigma=0.3 + label-smoothing`` becomes a tuple of objectives, and back."""

from __future__ import annotations

from collections.abc import Iterable

from engine.defenses.objectives.catalogue import CATALOGUE
from engine.defenses.objectives.objective import Objective
from engine.recipes import Recipes

RECIPES = Recipes(
    CATALOGUE,
    kind=Objective.kind,
    noun="training objective",
    whole="recipe",
    nothing="standard",
    example="gaussian sigma=0.3 + label-smoothing",
)
"""The reader and writer of recipes of training."""


def read(recipe: object) -> tuple[Objective, ...]:
    """Return the objectives of a recipe: a text, an objective, or a sequence of objectives, texts and mappings with their slugs.

    Raises
    ------
    GibbonError
        A part is unknown, stands twice, or has a parameter out of its range.
    """
    return tuple(part for part in RECIPES.read(recipe) if part.slug != "standard")


def words(recipe: Iterable[Objective]) -> str:
    """Return the text that `read` reads back: ``gaussian sigma=0.25 + label-smoothing``; “standard” where there are none."""
    return RECIPES.words(recipe)
