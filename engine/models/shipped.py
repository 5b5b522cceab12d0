"""The models that ship: weights that this project trained, each with its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engine import resources
from engine.classifier import Classifier, Head
from engine.models.checkpoint import load_checkpoint, read_card


def names() -> list[str]:
    """The shipped models, those with plain rectifiers first."""
    found = sorted(file.stem for file in resources.folder("models").glob("*.safetensors"))
    cards = {name: card(name) for name in found}
    # What lies there without a card (a training that was interrupted, say) is no model yet.
    return sorted((name for name in found if "architecture" in cards[name]), key=lambda name: cards[name].get("activation") != "relu")


def path(name: str) -> Path:
    """The file of the weights."""
    return resources.folder("models", f"{name}.safetensors")


def card(name: str) -> dict[str, Any]:
    """What is known about the model: data set, accuracy, epochs, seed, licence."""
    return read_card(path(name).with_suffix(".json"))


def load_shipped(name: str, *, labels: tuple[str, ...] | None, device: torch.device | str | None, head: Head) -> Classifier:
    """The shipped model of that name."""
    return load_checkpoint(path(name), labels=labels, device=device, head=head, source=name)
