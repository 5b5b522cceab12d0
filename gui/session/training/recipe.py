"""Recipe: everything that a training of the window is made from, and how it is kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import Classifier
    from engine.defenses import Train
    from engine.record import TrainingSource

VERSION = 1


@dataclass(frozen=True, eq=False)
class Recipe:
    """Everything that a training is made from, fixed at its start."""

    operation: Train
    architecture: str
    """The name of the architecture of a new network; empty: ``classifier`` is trained."""
    classifier: Classifier | None
    data: str
    """The data set's name in the engine."""
    data_title: str
    count: int
    """Number of images to train on, at most."""
    root: Path | None
    name: str
    """The name of the trained network."""
    seed: int
    device: str | None
    start: Mapping[str, Any] = field(default_factory=dict)
    """Source, options and fingerprint of the network to start from, where it has to be loaded before the training can be resumed."""

    @property
    def title(self) -> str:
        """The training in words, such as “digits on drawn digits: pgd eps=0.3”."""
        return f"{self.name} on {self.data_title}: {self.operation.described}"


def start_of(recipe: Recipe) -> Mapping[str, Any]:
    """Return the name, the source and the options of the network that a training starts from; empty for a new one."""
    from engine.models import options_of

    classifier = recipe.classifier
    return recipe.start if classifier is None else {"name": classifier.name, "source": classifier.source, "options": options_of(classifier)}


def source_of(recipe: Recipe, most_tests: int) -> TrainingSource:
    """Return the network and the images as a record of the engine names them; at most ``most_tests`` images are for the test."""
    from engine.record import TrainingSource

    start = start_of(recipe)
    named = {"network": recipe.architecture} if recipe.architecture else {"network": str(start.get("source") or ""), "trained": True}
    options = {} if recipe.architecture else {"options": start.get("options", {})}
    return TrainingSource.model_validate(
        {
            **named,
            **options,
            "data": recipe.data,
            "seed": recipe.seed,
            "count": recipe.count,
            "test_count": min(recipe.count, most_tests),
        }
    )


def facts_of(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as values for JSON."""
    parameters = recipe.operation.model_dump(mode="json", exclude={"checkpoint", "recipe"})
    return {
        "version": VERSION,
        "parameters": {**parameters, "recipe": recipe.operation.described},
        "architecture": recipe.architecture,
        "start": dict(start_of(recipe)),
        "data": recipe.data,
        "data_title": recipe.data_title,
        "count": recipe.count,
        "root": None if recipe.root is None else str(recipe.root),
        "name": recipe.name,
        "seed": recipe.seed,
        "device": recipe.device,
    }


def recipe_of(facts: Mapping[str, Any]) -> Recipe:
    """Return the recipe of values that `facts_of` made.

    Raises
    ------
    GibbonError
        The file is from a newer version, or a value is missing or refused.
    """
    from engine.defenses import Train
    from engine.errors import GibbonError

    if int(facts.get("version", 0)) > VERSION:
        raise GibbonError("This training was begun by a newer version of Gibbon: update Gibbon to resume it.")
    try:
        return Recipe(
            operation=Train.build(**facts["parameters"]),
            architecture=str(facts["architecture"]),
            classifier=None,
            data=str(facts["data"]),
            data_title=str(facts["data_title"]),
            count=int(facts["count"]),
            root=None if facts["root"] is None else Path(facts["root"]),
            name=str(facts["name"]),
            seed=int(facts["seed"]),
            device=facts["device"],
            start=dict(facts["start"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GibbonError(f"The file of this training is damaged ({error}): discard it, and train again.") from error
