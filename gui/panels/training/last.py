"""The recipe of the training that was begun last, kept in the settings, so that the dock sets it up again at the next start."""

from __future__ import annotations

import json

from gui.session.training.recipe import Recipe, facts_of, recipe_of
from gui.settings import Settings

_KEY = "training/last"


def keep_last(recipe: Recipe) -> None:
    """Keep a recipe as the last one."""
    Settings().keep_text(_KEY, json.dumps(facts_of(recipe)))


def last_recipe() -> Recipe | None:
    """Return the last recipe; None if there is none, or if it is of another version and can no longer be read."""
    from engine.errors import GibbonError

    try:
        return recipe_of(json.loads(Settings().text(_KEY)))
    except (GibbonError, ValueError, AttributeError):
        return None
