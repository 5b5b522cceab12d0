"""Recipes of training as text and as data: ``gaussian sigma=0.3 + label-smoothing`` becomes a tuple of objectives, and back."""

from __future__ import annotations

from collections.abc import Iterable

from engine.defenses.objectives.catalogue import CATALOGUE
from engine.defenses.objectives.objective import Objective
from engine.errors import GibbonError
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


def presets() -> list[tuple[str, Objective]]:
    """Return the published settings of all objectives: title and objective."""
    return [(each.title, kind.build(**each.values)) for kind in CATALOGUE.values() for each in kind.presets]


def preset(title: str) -> Objective:
    """Return the published setting of that title, or the only one whose title, or slug and title, contain all words of ``title``.

    Raises
    ------
    GibbonError
        No setting matches, or several do.
    """
    words = title.casefold().split()
    known = presets()
    found = [part for name, part in known if name == title]
    matching = [(name, part) for name, part in known if all(word in f"{part.slug} {name}".casefold() for word in words)]
    found = found or [part for _, part in matching]
    if len(found) != 1:
        there = "; ".join(f"{part.slug}: {name}" for name, part in matching or known)
        raise GibbonError(f"There is {'more than one preset' if matching else 'no preset'} “{title}”. There is: {there}.")
    return found[0]
