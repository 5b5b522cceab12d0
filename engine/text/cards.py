"""Words about a model's card: the name of its data set, and its accuracy with the set on which that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SETS = {"mnist": "MNIST", "gtsrb": "GTSRB", "cifar10": "CIFAR-10", "imagenet": "ImageNet"}


def data_name(slug: str) -> str:
    """Return the title of a data set's name, such as GTSRB for ``gtsrb:train``; a path, as of a folder, is not told."""
    kind = slug.partition(":")[0].lower()
    return "a folder of images" if kind == "folder" or {"/", "\\"} & set(slug) else _SETS.get(kind, slug)


def accuracy_of(card: Mapping[str, Any]) -> str:
    """Return the accuracy on a test set and who reported it, or "not known"."""
    value, published = card.get("accuracy"), card.get("published_accuracy")
    if value is not None:
        return f"{100 * value:.2f} % on {data_name(str(card.get('data_set', 'its data set')))}'s test set"
    if published is not None:
        whose = "published" if card.get("hash_matches") else "published, for another file"
        return f"{100 * published:.1f} % on ImageNet ({whose})"
    return "not known"
