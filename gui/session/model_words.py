"""A classifier's accuracy in the few words that the spine and the lists have room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def accuracy_forms(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the accuracy with what it was measured on, and without; where it is not known, words that say so and an empty form."""
    from engine.text.cards import data_name

    value = card.get("accuracy")
    where = data_name(str(card.get("data_set", "")))
    if value is None and card.get("hash_matches"):
        value, where = card.get("published_accuracy"), "ImageNet"
    held = card.get("held_out", {})
    if value is None and held:
        short = f"{100 * held['clean']:.1f} %"
        return (f"{short} of {held['images']:,} held out", short)
    if value is None:
        return ("accuracy not known", "not measured", "")
    short = f"{100 * value:.1f} %"
    return (f"{short} on {where}", short) if where else (short,)
