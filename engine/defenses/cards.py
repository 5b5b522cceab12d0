"""Trained models on the disk: the weights as safetensors, and beside them a JSON card that describes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save

from engine.artifacts import Model
from engine.batching import ROWS_SCORED
from engine.classifier import Classifier
from engine.files import replacing

if TYPE_CHECKING:
    from engine.data import DataSet


def classifier_of(model: Model, device: torch.device | str | None = None) -> Classifier:
    """Make a classifier from a freshly trained model."""
    card = model.card
    return Classifier(
        model.module,
        card["labels"],
        tuple(card["input_shape"]),
        card["mean"],
        card["std"],
        name=card["name"],
        device=device,
        card=card,
    )


def accuracy(classifier: Classifier, data: DataSet, chunk: int = ROWS_SCORED) -> float:
    """Return the accuracy of ``classifier`` on ``data``, in [0, 1]; classes are matched by name.

    Raises
    ------
    GibbonError
        The classifier does not know some of the classes.
    """
    labels = data.targets_for(classifier.labels, classifier.name)
    right = torch.zeros((), dtype=torch.int64, device=classifier.device)
    for first in range(0, len(data), chunk):
        rows = slice(first, first + chunk)
        right += (classifier.predict(data.batch(rows)[0], chunk) == labels[rows].to(classifier.device)).sum()
    return int(right) / len(data)


def weights_digest(model: Model) -> str:
    """Return the SHA-256 of the file of weights that `save_model` writes."""
    return hashlib.sha256(_packed(model)).hexdigest()


def _packed(model: Model) -> bytes:
    return save({name: value.detach().cpu().contiguous() for name, value in model.module.state_dict().items()})


def save_model(model: Model, path: Path, **facts: Any) -> tuple[Path, Path]:
    """Write ``path`` with the suffixes .safetensors and .json; ``facts`` (name, accuracy...) are added to the card.

    Returns
    -------
    tuple[Path, Path]
        The paths of the weights and of the card.
    """
    weights, card = path.with_suffix(".safetensors"), path.with_suffix(".json")
    with replacing(weights) as staged:
        staged.write_bytes(_packed(model))
    with replacing(card) as staged:
        staged.write_text(json.dumps({**model.card, **facts}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return weights, card
