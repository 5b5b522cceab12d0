"""The networks that a training can start from: new ones of every architecture, and the loaded ones with their weights or new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from engine import Classifier


@dataclass(frozen=True, eq=False)
class Start:
    """A network that a training starts from: one line of the chooser."""

    title: str
    tip: str
    architecture: str = ""
    classifier: Classifier | None = None
    fresh: bool = True

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two starts that are the same line of the chooser, before and after it was filled again."""
        return self.architecture, self.classifier, self.fresh

    @property
    def subject(self) -> str:
        """The name of the network that it starts from."""
        return self.architecture if self.classifier is None else self.classifier.name

    @property
    def network(self) -> tuple[nn.Module, int]:
        """The network's modules, whose weights mean nothing, and its number of classes."""
        if self.classifier is not None:
            return self.classifier.module, self.classifier.num_classes
        return _skeleton(self.architecture)

    @property
    def name(self) -> str:
        """The name that is suggested for the trained network."""
        return self.architecture if self.classifier is None else f"{self.classifier.name}-trained"


def starts_from(loaded: Sequence[Classifier]) -> list[Start]:
    """Return the lines of the chooser: new networks first, then two for each loaded model."""
    from engine.models import ARCHITECTURES

    starts = [
        Start(f"new {name} network", f"The architecture “{name}”, {_size(each.input_shape)}, with new weights", name)
        for name, each in ARCHITECTURES.items()
    ]
    for model in loaded:
        shape = _size(model.native_shape)
        starts += [
            Start(f"{model.name}, go on from its weights", f"{model.name}, {shape}, fine-tuned", "", model, False),
            Start(f"{model.name}, new weights", f"The architecture of {model.name}, {shape}, with new weights", "", model),
        ]
    return starts


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


@cache
def _skeleton(architecture: str) -> tuple[nn.Module, int]:
    """Return the modules of an architecture without any memory for their weights, and its number of classes."""
    import torch

    from engine.models import ARCHITECTURES

    known = ARCHITECTURES[architecture]
    with torch.device("meta"):
        return known.build(), len(known.labels)
