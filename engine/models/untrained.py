"""Untrained classifiers from any source: an architecture by its name, one of torchvision's networks, or a user's own file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from engine.class_names import class_names
from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.models import factory, torchvision
from engine.models.architectures import ARCHITECTURES
from engine.models.networks import AUXILIARY, build
from engine.text.nearest import did_you_mean

SOURCES = f"{', '.join(ARCHITECTURES)}, torchvision:NAME or FILE.py:FACTORY"


def untrained(
    source: str,
    labels: Sequence[str] | None = None,
    *,
    size: int | None = None,
    device: torch.device | str | None = None,
    allow_code: bool = False,
) -> Classifier:
    """Return an untrained classifier, for ``engine.defenses.Train`` to train from scratch.

    Parameters
    ----------
    source
        An architecture of `ARCHITECTURES`, "torchvision:NAME", or "FILE.py:FACTORY", the user's own code.
    labels
        The class names. None: those of the architecture or of the file; torchvision's networks need them.
    size
        Side of the images in pixels, for torchvision's networks only. None: that of the published weights.
    device
        None: the accelerator where there is one, else the CPU.
    allow_code
        Permission to run the code of FILE.py.

    Raises
    ------
    GibbonError
        There is no such network, or it is for another number of classes or another size.
    """
    names = None if labels is None else class_names(labels)
    if source.startswith(torchvision.PREFIX):
        return _torchvision(source, names, size, device)
    if size is not None:
        raise GibbonError(f"“{source}” has an input size of its own. Leave the size out, which is for torchvision's networks.")
    if factory.is_code(source):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # the file may draw its weights
            return factory.load_factory(source, allow_code=allow_code, labels=names, device=device, head="logits")
    check_network(source)
    architecture = ARCHITECTURES[source]
    if names is not None and len(names) != len(architecture.labels):
        raise GibbonError(f"“{source}” is a network for {len(architecture.labels)} classes, not {len(names)}. Choose another network.")
    return architecture.untrained(device=device, labels=names)


def check_network(source: str) -> None:
    """Refuse a name that is neither that of an architecture nor of the form of another source.

    Raises
    ------
    GibbonError
        There is no such network; the nearest name is suggested.
    """
    if source.startswith(torchvision.PREFIX) or factory.is_code(source) or source in ARCHITECTURES:
        return
    raise GibbonError(f"There is no network “{source}”. {did_you_mean(source, ARCHITECTURES, f'There are {SOURCES}.')}")


def _torchvision(source: str, labels: Sequence[str] | None, size: int | None, device: torch.device | str | None) -> Classifier:
    name = source.removeprefix(torchvision.PREFIX)
    about = torchvision.published(name)
    if labels is None:
        raise GibbonError(f"An untrained “{name}” has no class names of its own. Give the labels of the data set.")
    side = about.crop if size is None else size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = build(name, {**_options(name, side), "num_classes": len(labels)})
    card = {"architecture": source, "activation": "relu"}
    return Classifier(module, labels, (3, side, side), about.mean, about.std, name=name, device=device, card=card)


def _options(name: str, side: int) -> dict[str, Any]:
    """Return the options of torchvision's builder for training at that size, without the heads that serve training only."""
    if name in AUXILIARY:
        return {"aux_logits": False, "init_weights": False}
    if name.startswith("vit_"):
        return {"image_size": side}
    return {"input_size": (side, side)} if name.startswith("maxvit") else {}


def published_side(source: str) -> int:
    """Return the side in pixels of the images for torchvision's published weights of "torchvision:NAME"."""
    return torchvision.published(source.removeprefix(torchvision.PREFIX)).crop
