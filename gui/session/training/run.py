"""TrainingRun: a training that has ended, with its network as a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.history import FinishedRun

if TYPE_CHECKING:
    from engine import Classifier
    from engine.artifacts import Model
    from engine.record import TrainingRecord
    from gui.lanes.readings import Series
    from gui.session.training.recipe import Recipe


RECORD = "training"
"""The entry of a result's provenance that holds the engine's record of the training, as values for JSON."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingRun(FinishedRun):
    """A training of this window. One of a study is a `FinishedRun` with the same artifacts."""

    recipe: Recipe
    classifier: Classifier
    accuracy: float
    tested_on: str
    epochs: int
    """Number of finished epochs."""
    steps: int
    """Number of steps of the whole training, with which the curves count epochs."""
    series: Series
    """The readings of all its steps."""
    folder: Path
    """The folder with the networks of its epochs."""


def model_of(run: FinishedRun) -> Model:
    """Return the network of a training, with its card and its history."""
    from engine.artifacts import Model

    model = run.result.artifacts["model"]
    assert isinstance(model, Model)
    return model


def is_training(run: FinishedRun) -> bool:
    """Return whether a finished run is a training whose network is there; that of a study may be of a kind that cannot be built here."""
    return run.operation.slug == "train" and run.result.artifacts.get("model") is not None


def record_of(run: FinishedRun) -> TrainingRecord | None:
    """Return the record from which a training can be made again; None for one of an older study, and for what is no training."""
    from engine.record import TrainingRecord

    values = run.result.provenance.get(RECORD) if run.operation.slug == "train" else None
    return None if values is None else TrainingRecord.model_validate(values)


def name_of(run: FinishedRun) -> str:
    """Return the name of a training's network."""
    return str(model_of(run).card.get("name", run.title))


def recipe_words(run: FinishedRun) -> str:
    """Return how a network was trained, and how far where the training was ended early: ``pgd eps=0.3, cancelled in epoch 2 of 4``."""
    operation: Any = run.operation
    words, history = str(operation.described), model_of(run).history
    epochs = 0 if history is None else len(history.x)
    return words if run.ended != "cancelled" else f"{words}, cancelled in epoch {min(epochs + 1, operation.epochs)} of {operation.epochs}"


def verdict_of(name: str, ended: str, accuracy: float, tested_on: str, held_out: dict[str, Any]) -> str:
    """Return a training's result in a sentence: its accuracy on the test images, and under the quick attack with its budget."""
    words = f"{name}{ended}: {100 * accuracy:.1f} % right on {tested_on}"
    if "attacked" in held_out:
        images = f"{held_out['attacked_images']:,} held-out images"
        words += f"; {100 * held_out['attacked']:.1f} % of {images} under {held_out['attack']}"
    return words


def shorter_verdicts(run: FinishedRun) -> tuple[str, ...]:
    """Return shorter forms of a training's verdict, the longest first: its accuracies with the attack, and without the name."""
    card = model_of(run).card
    held = card.get("held_out", {})
    clean = f"{100 * card['accuracy']:.1f} % right" if "accuracy" in card else run.ended
    attacked = f", {100 * held['attacked']:.1f} % under {held['attack']}" if "attacked" in held else ""
    return f"{name_of(run)}: {clean}{attacked}", f"{clean}{attacked}", clean
