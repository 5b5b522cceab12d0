"""Networks that experiments train once: they are kept in the user's cache folder, under a hash of everything that decides their weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.artifacts import Model
from engine.classifier import Classifier
from engine.data import DataSet
from engine.defenses import Train, save_model
from engine.devices import versions
from engine.driver import start
from engine.files import cache_folder, make_folder
from engine.models import ARCHITECTURES, load
from engine.operation import Problem
from engine.reproduce.defenses.added import Added, appended
from engine.reproduce.defenses.stages import Stage

_EDITION = 1
"""It is raised where training changes in a way that no parameter tells, so that networks of before are not taken for those of today."""


@dataclass(frozen=True)
class Recipe:
    """A network that an experiment needs: its name, its structure, and its training."""

    name: str
    """Name in tables, such as “GDA + BReLU”."""
    architecture: str
    """Key in `engine.models.ARCHITECTURES`."""
    training: Train
    start: Classifier | None = None
    """The network from which the training continues, with a ``training`` that is not ``fresh``; None: new weights."""
    added: Added | None = None
    """Adversarial images of another network that are appended to the training images; None: none."""
    seed: int = 0
    """It is added to the experiment's seed. A network that attacks another needs one of its own: layers of the same shape would begin with
    the same weights, and stay alike, which makes the attack transfer better than from a stranger's network.
    """

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that decides the weights, but images, seed, device and versions."""
        return {
            "edition": _EDITION,
            "architecture": self.architecture,
            "training": self.training.model_dump(mode="json", exclude={"checkpoint"}),
            **({} if self.start is None else {"start": self.start.fingerprint}),
            **({} if self.added is None else {"added": self.added.facts}),
        }


def by_adam(recipe: str, epochs: int, **others: Any) -> Train:
    """Return a training as in most of the papers: Adam with rate 0.001 in batches of 128, no augmentation, all images trained on."""
    plain = {"batch_size": 128, "learning_rate": 1e-3, "rates": "constant", "optimiser": "adam", "weight_decay": 0.0}
    return Train.build(recipe=recipe, epochs=epochs, **{**plain, "augment": "none", "held_out": 0, **others})


def network_folder(chosen: Path | None = None) -> Path:
    """Return the folder of the trained networks: the given one, or one in this platform's cache folder."""
    return cache_folder() / "networks" if chosen is None else chosen


def kept_at(recipe: Recipe, data: DataSet, seed: int, device: str, folder: Path) -> Path:
    """Return the file of the network: its name holds a hash over structure, training, images, seed, device and versions."""
    facts = {**recipe.facts, "data": data.sha256, "seed": seed, "device": device, "versions": versions()}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{recipe.architecture}-{key}.safetensors"


def trained(problem: Problem, recipe: Recipe, data: DataSet, folder: Path) -> Stage[Classifier]:
    """Return the network of a recipe, from the folder where it is there; else train it, batch by batch, and keep it.

    A training that was cancelled continues where it ended. The device is the problem's, the seed the sum of the problem's and the recipe's.

    Raises
    ------
    GibbonError
        The folder cannot be made or written, or the training diverged.
    """
    device = problem.classifier.whole.device
    path = kept_at(recipe, data, problem.random.seed + recipe.seed, device.type, folder)
    if not path.is_file() or not path.with_suffix(".json").is_file():
        yield from _train(problem, recipe, data, path)
    else:
        yield 1.0, f"{recipe.name}: trained before"
    classifier = load(str(path), device=device)
    return classifier.derive(name=recipe.name)


def _train(problem: Problem, recipe: Recipe, data: DataSet, path: Path) -> Stage[None]:
    unfinished = path.with_suffix(".unfinished")
    make_folder(path.parent, "Give another one as cache.")
    crafting = recipe.added.work if recipe.added is not None else 0.0
    if recipe.added is not None:
        data = yield from _scaled(appended(problem, data, recipe.added), crafting)
    device = problem.classifier.whole.device
    untrained = recipe.start or ARCHITECTURES[recipe.architecture].untrained(device=device, labels=data.labels)
    training = recipe.training.build(**{**recipe.training.model_dump(), "checkpoint": unfinished})
    with start(training, untrained, data=data, seed=problem.random.seed + recipe.seed) as run:
        for step in run:
            done = crafting + (1.0 - crafting) * (step.share_done or 0.0)
            yield done, f"training “{recipe.name}”, {step.news}, batch {step.index + 1:,} of {(step.total or 0) + 1:,}"
        model = run.result().artifacts["model"]
    assert isinstance(model, Model)
    save_model(model, path, name=recipe.name)
    unfinished.unlink(missing_ok=True)


def _scaled(stage: Stage[DataSet], share: float) -> Stage[DataSet]:
    """Run a stage that is the first ``share`` of a longer one."""
    while True:
        try:
            done, news = next(stage)
        except StopIteration as end:
            made: DataSet = end.value
            return made
        yield share * done, news
