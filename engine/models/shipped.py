"""The models that ship: weights that this project trained, each with its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engine import resources
from engine.classifier import Classifier, Head
from engine.models.checkpoint import load_checkpoint, read_card
from engine.text.cards import training_of

_PLAIN = ("standard", "as lectured")


def names() -> list[str]:
    """List the shipped models: first those with plain rectifiers that were trained without a defense."""
    found = sorted(file.stem for file in resources.folder("models").glob("*.safetensors"))
    cards = {name: card(name) for name in found}
    # Weights without a card (of an interrupted training, say) are no model yet.
    return sorted((name for name in found if "architecture" in cards[name]), key=lambda name: training_of(cards[name]) not in _PLAIN)


def path(name: str) -> Path:
    """Return the path of the weights."""
    return resources.folder("models", f"{name}.safetensors")


def card(name: str) -> dict[str, Any]:
    """Read the model's card: data set, accuracy, epochs, seed, licence."""
    return read_card(path(name).with_suffix(".json"))


def load_shipped(name: str, *, labels: tuple[str, ...] | None, device: torch.device | str | None, head: Head) -> Classifier:
    """Load the shipped model of that name."""
    return load_checkpoint(path(name), labels=labels, device=device, head=head, source=name)
