"""The list of loadable models, for the window's chooser and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.models import shipped, torchvision
from engine.models.architectures import ARCHITECTURES
from engine.text.cards import attacked_of, training_of


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be loaded by name."""

    source: str
    """The argument for ``load``."""
    kind: Literal["shipped", "torchvision"]
    title: str
    """A unique title for lists."""
    data_set: str
    classes: int
    input_shape: tuple[int, int, int]
    parameters: int
    accuracy: float | None
    """Accuracy on the official test set of ``data_set``, in [0, 1]."""
    attacked: str
    """Accuracy under an attack, with its budget, in words; empty if none was measured."""
    training: str
    """How it was trained, in words; empty if that is not known."""
    available: bool
    """Whether its file is on this machine."""
    megabytes: float
    path: Path


def catalogue(*, with_torchvision: bool = True) -> list[ModelEntry]:
    """List the shipped models, then torchvision's classification networks; importing torchvision takes seconds."""
    return [_shipped(name) for name in shipped.names()] + ([_published(name) for name in torchvision.names()] if with_torchvision else [])


def architectures(*, with_torchvision: bool = True) -> list[str]:
    """List the architectures into which a checkpoint can be loaded."""
    return [*ARCHITECTURES, *([f"{torchvision.PREFIX}{name}" for name in torchvision.names()] if with_torchvision else [])]


def _shipped(name: str) -> ModelEntry:
    card, path = shipped.card(name), shipped.path(name)
    shape = card["input_shape"]
    return ModelEntry(
        source=name,
        kind="shipped",
        title=name,
        data_set=str(card["data_set"]),
        classes=len(card["labels"]),
        input_shape=(shape[0], shape[1], shape[2]),
        parameters=int(card["parameters"]),
        accuracy=card.get("accuracy"),
        attacked=attacked_of(card),
        training=training_of(card),
        available=True,
        megabytes=path.stat().st_size / 1e6,
        path=path,
    )


def _published(name: str) -> ModelEntry:
    about = torchvision.published(name)
    return ModelEntry(
        source=f"{torchvision.PREFIX}{name}",
        kind="torchvision",
        title=name,
        data_set="ImageNet",
        classes=len(about.labels),
        input_shape=(3, about.crop, about.crop),
        parameters=about.parameters,
        accuracy=about.accuracy,
        attacked="",
        training="",
        available=about.path.is_file(),
        megabytes=about.megabytes,
        path=about.path,
    )
