"""Words about a model's card: the name of its data set, and its accuracy with the set on which that was measured."""

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
    """Return the accuracy on a test set and who reported it, or "not known"."""
    value, published = card.get("accuracy"), card.get("published_accuracy")
    if value is not None:
        name = data_name(str(card.get("data_set", "its data set")))
        ending = "'" if name.endswith("s") else "'s"
        return f"{100 * value:.2f} % on {name}{ending} test set"
    if published is not None:
        whose = "published" if card.get("hash_matches") else "published, for another file"
        return f"{100 * published:.1f} % on ImageNet ({whose})"
    return "not known"
