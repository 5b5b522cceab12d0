"""Attacks as the invariants run them, a module per family: an attack is tested by being listed here."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine.operation import Attack

VARIANTS: list[Attack] = [
    variant
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__))
    for variant in importlib.import_module(f"{__name__}.{module}").VARIANTS
]
IDS = [f"{attack.slug}-{number}" for number, attack in enumerate(VARIANTS)]
_FIRST = {attack.slug: number for number, attack in reversed(list(enumerate(VARIANTS)))}
EACH = [
    pytest.param(attack, id=id, marks=() if number == _FIRST[attack.slug] else pytest.mark.slow)
    for number, (attack, id) in enumerate(zip(VARIANTS, IDS, strict=True))
]
"""Every variant, for checks of what all attacks share; at every run of the tests one variant of each attack."""


def situation(attack: Attack, classifier: engine.Classifier, images: Tensor) -> dict[str, Any]:
    """What an attack cannot do without, for the small classifier of five classes: targets, a data set, a second image."""
    given: dict[str, Any] = {}
    if "targets" in attack.needs:
        labels = classifier.predict(images)
        given |= {"labels": labels, "targets": (labels + 1) % classifier.num_classes}
    if "data" in attack.uses:
        given["data"] = small_data(classifier)
    return given


def small_data(classifier: engine.Classifier, count: int = 24) -> engine.data.DataSet:
    """Random images of the classifier's size, labelled by it."""
    channels, height, width = classifier.input_shape
    random = torch.Generator().manual_seed(11)
    pixels = torch.randint(256, (count, channels, height, width), generator=random, dtype=torch.uint8)
    targets = classifier.predict(pixels.to(classifier.dtype) / 255).cpu()
    return engine.data.DataSet("random:24", classifier.labels, pixels, targets, "random pixels")
