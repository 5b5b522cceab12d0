"""Words about a model's card: its data set, how it was trained, and its accuracy, clean and attacked, with what that was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SETS = {"mnist": "MNIST", "gtsrb": "GTSRB", "cifar10": "CIFAR-10", "imagenet": "ImageNet"}


def data_name(slug: str) -> str:
    """Return a data set's title: GTSRB for ``gtsrb:train``, drawn signs for ``generated:signs``. A path, as of a folder, is not told."""
    kind = slug.partition(":")[0].lower()
    if kind == "folder" or {"/", "\\"} & set(slug):
        return "a folder of images"
    return _SETS.get(kind, without_kind(slug))


def without_kind(name: str) -> str:
    """Return a data set's name in words where this project draws it, such as drawn signs for ``generated:signs``, else the name itself."""
    kind, _, rest = name.partition(":")
    return f"drawn {rest.replace(':', ', ')}" if kind.lower() == "generated" and rest else name


def accuracy_of(card: Mapping[str, Any]) -> str:
    """Return the accuracy on a test set and who reported it, or on held-out images of the training, or "not known"."""
    value, published = card.get("accuracy"), card.get("published_accuracy")
    if value is not None:
        name = data_name(str(card.get("data_set", "its data set")))
        ending = "'" if name.endswith("s") else "'s"
        return f"{100 * value:.2f} % on {name}{ending} test set"
    if published is not None:
        whose = "published" if card.get("hash_matches") else "published, for another file"
        return f"{100 * published:.1f} % on ImageNet ({whose})"
    held = card.get("held_out", {})
    return f"{100 * held['clean']:.1f} % of {held['images']:,} held-out images" if held else "not known"


_RECTIFIERS = {"bounded": "bounded ReLU", "bounded-leaky": "bounded leaky ReLU"}


def training_of(card: Mapping[str, Any]) -> str:
    """Return how the network was trained in a few words, such as ``gaussian sigma=0.3, bounded ReLU``; empty if the card does not say."""
    if "data_set" not in card:
        return ""
    rectifier = _RECTIFIERS.get(str(card.get("activation", "")), "")
    return ", ".join(filter(None, (str(card.get("recipe") or "standard"), rectifier)))


def attacked_of(card: Mapping[str, Any]) -> str:
    """Return the accuracy under the card's own attack with its budget, or that of its training's quick attack; empty without one."""
    value, attack = card.get("attacked"), card.get("attack")
    if value is not None and attack:
        return f"{100 * value:.1f} % under {attack}"
    held = card.get("held_out", {})
    if "attacked" not in held:
        return ""
    return f"{100 * held['attacked']:.1f} % of {held['attacked_images']:,} held-out images under {held['attack']}"
