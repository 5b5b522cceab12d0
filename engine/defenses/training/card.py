"""The card of a freshly trained network: what it is, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from engine.classifier import Classifier
from engine.defenses.rectifiers import bounds_of
from engine.devices import versions

if TYPE_CHECKING:
    from engine.data import DataSet

_OF_THE_NETWORK = frozenset({"architecture", "activation", "slope", "sign", "transform_input"})
"""Entries of a card that describe the network itself, which training does not change."""


def card_of(classifier: Classifier, data: DataSet, module: nn.Module, changed: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """Return the card of ``module``, trained from ``classifier`` on ``data``.

    ``changed`` describes what the training exchanged in the network; ``facts`` are added after the count of the images.
    """
    mean, std = classifier.normalisation
    kept = {key: value for key, value in classifier.card.items() if key in _OF_THE_NETWORK}
    return {
        "name": classifier.name,
        **kept,
        **changed,
        "data_set": data.name,
        "attribution": data.source,
        "licence": data.licence,
        **facts,
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "bounds": bounds_of(module),
        "labels": list(classifier.labels),
        "input_shape": list(classifier.native_shape),
        "mean": list(mean),
        "std": list(std),
        "versions": versions(),
    }
