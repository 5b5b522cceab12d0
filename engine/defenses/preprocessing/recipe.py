"""Preprocessing as text and as data: ``jpeg quality=75 + bit-depth bits=3`` becomes a tuple of steps, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.classifier import Classifier
from engine.defenses.preprocessing.catalogue import CATALOGUE
from engine.defenses.preprocessing.preprocessing import Preprocessing
from engine.recipes import Recipes

RECIPES = Recipes(
    CATALOGUE,
    kind=Preprocessing.kind,
    noun="preprocessing",
    whole="defense",
    nothing="none",
    example="jpeg quality=75 + bit-depth bits=3",
)


def read(recipe: object) -> tuple[Preprocessing, ...]:
    """Return the steps of a recipe in their order: a text, a step, or a sequence of steps, texts and mappings with their slugs.

    Raises
    ------
    GibbonError
        A step is unknown, stands twice, or has a parameter out of its range.
    """
    return RECIPES.read(recipe)


def words(recipe: Iterable[Preprocessing]) -> str:
    """Return the text that `read` reads back: ``jpeg quality=50 + bit-depth``; “none” where there are none."""
    return RECIPES.words(recipe)


def defended(classifier: Classifier, recipe: object) -> Classifier:
    """Return the classifier behind the steps of a recipe, with their text in its name.

    Raises
    ------
    GibbonError
        The recipe cannot be read, or a step does not fit the classifier's images.
    """
    steps: Sequence[Preprocessing] = read(recipe)
    for step in steps:
        step.check(classifier.input_shape)
    return classifier.derive(name=f"{classifier.name} behind {words(steps)}", before=steps) if steps else classifier
